/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/socket_options.c
 * Every option of sockets that a program can set and read back, set to something that is not its
 * default where this kernel and user may: TCP that is new, listening and connected, UDP over IPv4 and
 * IPv6, UNIX sockets. All are read back and compared. A packet filter goes on filtering.
 */
#include "scenario.h"
#include <arpa/inet.h>
#include <linux/filter.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sys/socket.h>

enum { TCP = IPPROTO_TCP, UDP = IPPROTO_UDP, SIX = IPPROTO_IPV6, SOL = SOL_SOCKET };

static const struct setting {
	int level, name, value;
} settings[] = {
	{ SOL, SO_SNDBUF, 70000 }, { SOL, SO_RCVBUF, 60000 }, { SOL, SO_REUSEADDR, 1 },
	{ SOL, SO_REUSEPORT, 1 }, { SOL, SO_BROADCAST, 1 }, { SOL, SO_KEEPALIVE, 1 },
	{ SOL, SO_OOBINLINE, 1 }, { SOL, SO_DONTROUTE, 1 }, { SOL, SO_PASSCRED, 1 },
	{ SOL, SO_RCVLOWAT, 3 }, { SOL, SO_PRIORITY, 5 }, { SOL, SO_MARK, 77 },
	{ SOL, SO_TIMESTAMP, 1 }, { SOL, SO_RXQ_OVFL, 1 }, { SOL, SO_SELECT_ERR_QUEUE, 1 },
	{ SOL, SO_BUSY_POLL, 40 }, { SOL, SO_ZEROCOPY, 1 }, { SOL, SO_DEBUG, 1 },
	{ SOL, 47 /* MAX_PACING_RATE */, 1 << 30 }, { SOL, 69 /* PREFER_BUSY_POLL */, 1 },
	{ SOL, 75 /* RCVMARK */, 1 }, { SOL, 76 /* PASSPIDFD */, 1 }, { SOL, 82 /* RCVPRIORITY */, 1 },
	{ SOL, SO_TIMESTAMPING, 0x18 },
	{ TCP, TCP_NODELAY, 1 }, { TCP, TCP_CORK, 1 }, { TCP, TCP_KEEPIDLE, 77 },
	{ TCP, TCP_KEEPINTVL, 17 }, { TCP, TCP_KEEPCNT, 4 }, { TCP, TCP_SYNCNT, 3 },
	{ TCP, TCP_LINGER2, 20 }, { TCP, TCP_DEFER_ACCEPT, 7 }, { TCP, TCP_USER_TIMEOUT, 9000 },
	{ TCP, TCP_NOTSENT_LOWAT, 12345 }, { TCP, TCP_SAVE_SYN, 1 }, { TCP, TCP_MAXSEG, 1000 },
	{ TCP, TCP_THIN_LINEAR_TIMEOUTS, 1 }, { TCP, 30 /* FASTOPEN_CONNECT */, 1 },
	{ TCP, 34 /* FASTOPEN_NO_COOKIE */, 1 }, { TCP, 36 /* INQ */, 1 },
	{ UDP, 101 /* NO_CHECK6_TX */, 1 }, { UDP, 102, 1 }, { UDP, 103 /* SEGMENT */, 700 },
	{ UDP, 104 /* GRO */, 1 },
	{ IPPROTO_IP, IP_TOS, 0x10 }, { IPPROTO_IP, IP_TTL, 9 }, { IPPROTO_IP, IP_PKTINFO, 1 },
	{ IPPROTO_IP, IP_RECVOPTS, 1 }, { IPPROTO_IP, IP_RETOPTS, 1 },
	{ IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO }, { IPPROTO_IP, IP_RECVERR, 1 },
	{ IPPROTO_IP, IP_RECVTTL, 1 }, { IPPROTO_IP, IP_RECVTOS, 1 }, { IPPROTO_IP, IP_FREEBIND, 1 },
	{ IPPROTO_IP, IP_MINTTL, 3 }, { IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1 },
	{ IPPROTO_IP, IP_MULTICAST_TTL, 8 }, { IPPROTO_IP, IP_MULTICAST_LOOP, 0 },
	{ IPPROTO_IP, IP_MULTICAST_ALL, 0 }, { IPPROTO_IP, IP_MULTICAST_IF, 0x0100007f },
	{ IPPROTO_IP, 20 /* ORIGDSTADDR */, 1 }, { IPPROTO_IP, 51 /* LOCAL_PORT_RANGE */, 0x90007d00 },
	{ SIX, IPV6_V6ONLY, 1 }, { SIX, IPV6_UNICAST_HOPS, 12 }, { SIX, IPV6_MULTICAST_HOPS, 3 },
	{ SIX, IPV6_MULTICAST_LOOP, 0 }, { SIX, IPV6_RECVPKTINFO, 1 }, { SIX, IPV6_RECVHOPLIMIT, 1 },
	{ SIX, IPV6_RECVTCLASS, 1 }, { SIX, IPV6_TCLASS, 0x20 }, { SIX, IPV6_RECVERR, 1 },
	{ SIX, IPV6_MULTICAST_IF, 1 }, { SIX, IPV6_DONTFRAG, 1 }, { SIX, IPV6_AUTOFLOWLABEL, 0 },
	{ SIX, IPV6_MINHOPCOUNT, 5 }, { SIX, IPV6_RECVRTHDR, 1 }, { SIX, 78 /* FREEBIND */, 1 },
};

enum { setting_count = sizeof settings / sizeof settings[0], kinds = 8 };

static int values[kinds][setting_count];
static int files[kinds];

static int get(int file, const struct setting *it)
{
	int value = 0;

	return getsockopt(file, it->level, it->name, &value, &(socklen_t){ sizeof value }) == 0 ? value : -1;
}

static void set_all(int file)
{
	int count = 0;

	for (int i = 0; i < setting_count; i++) {
		int before = get(file, &settings[i]);

		/* Options that hold one another up. */
		if (settings[i].name == SO_DONTROUTE && settings[i].level == SOL)
			continue;
		setsockopt(file, settings[i].level, settings[i].name, &settings[i].value, sizeof(int));
		count += get(file, &settings[i]) != before;
	}
	check(count >= 8);
}

static int bound(int family, int type)
{
	struct sockaddr_in6 address = { .sin6_family = family };
	int file = socket(family, type, 0);

	check(file >= 0 && bind(file, (void *)&address, family == AF_INET ? 16 : sizeof address) == 0);
	return file;
}

int main(void)
{
	struct linger linger = { 1, 4 };
	struct timeval limit = { 3, 0 }, now;
	struct sockaddr_in name;
	/* Datagrams that begin with x are dropped: the UDP header comes first. */
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 8), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 'x', 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0), BPF_STMT(BPF_RET | BPF_K, 0xffff),
	};
	struct sock_fprog program = { .len = 4, .filter = code };
	char text[32] = "";
	int pair[2], listener = bound(AF_INET, SOCK_STREAM), filtered;

	check(setsockopt(listener, SOL, SO_REUSEADDR, &(int){ 1 }, sizeof(int)) == 0);
	check(listen(listener, 3) == 0);
	check(getsockname(listener, (void *)&name, &(socklen_t){ sizeof name }) == 0);
	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	check(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
	files[0] = socket(AF_INET, SOCK_STREAM, 0), files[1] = socket(AF_INET6, SOCK_STREAM, 0);
	files[2] = bound(AF_INET, SOCK_STREAM), files[3] = bound(AF_INET, SOCK_DGRAM);
	files[4] = bound(AF_INET6, SOCK_DGRAM), files[5] = pair[0];
	files[6] = socket(AF_INET, SOCK_STREAM, 0);
	check(listen(files[2], 3) == 0);
	check(connect(files[6], (void *)&name, sizeof name) == 0);
	files[7] = accept(listener, NULL, NULL);
	filtered = bound(AF_INET, SOCK_DGRAM);
	check(setsockopt(filtered, SOL, SO_ATTACH_FILTER, &program, sizeof program) == 0);
	check(setsockopt(filtered, SOL, SO_LOCK_FILTER, &(int){ 1 }, sizeof(int)) == 0);
	check(setsockopt(filtered, SOL, SO_BINDTODEVICE, "lo", 3) == 0 || errno == EPERM);
	check(setsockopt(files[0], TCP, TCP_CONGESTION, "reno", 4) == 0);
	check(setsockopt(files[6], TCP, TCP_CONGESTION, "reno", 4) == 0);
	for (int kind = 0; kind < kinds; kind++) {
		set_all(files[kind]);
		check(setsockopt(files[kind], SOL, SO_LINGER, &linger, sizeof linger) == 0);
		check(setsockopt(files[kind], SOL, SO_RCVTIMEO, &limit, sizeof limit) == 0);
		for (int i = 0; i < setting_count; i++)
			values[kind][i] = get(files[kind], &settings[i]);
	}
	checkpoint_here();

	for (int kind = 0; kind < kinds; kind++) {
		for (int i = 0; i < setting_count; i++) {
			/* What a connection has agreed on. */
			if (kind >= 6 && settings[i].level == TCP && settings[i].name == TCP_MAXSEG)
				continue;
			if (get(files[kind], &settings[i]) == values[kind][i])
				continue;
			dprintf(2, "kind %d, level %d, option %d: %d, not %d\n", kind, settings[i].level,
				settings[i].name, get(files[kind], &settings[i]), values[kind][i]);
			check(!"the same");
		}
		memset(&linger, 0, sizeof linger), memset(&now, 0, sizeof now);
		check(getsockopt(files[kind], SOL, SO_LINGER, &linger, &(socklen_t){ sizeof linger }) == 0);
		check(linger.l_onoff == 1 && linger.l_linger == 4);
		check(getsockopt(files[kind], SOL, SO_RCVTIMEO, &now, &(socklen_t){ sizeof now }) == 0);
		check(now.tv_sec == limit.tv_sec && now.tv_usec == limit.tv_usec);
	}
	check(getsockopt(files[0], TCP, TCP_CONGESTION, text, &(socklen_t){ sizeof text }) == 0);
	check(strcmp(text, "reno") == 0);
	memset(text, 0, sizeof text);
	check(getsockopt(files[6], TCP, TCP_CONGESTION, text, &(socklen_t){ sizeof text }) == 0);
	check(strcmp(text, "reno") == 0);
	check(getsockname(filtered, (void *)&name, &(socklen_t){ sizeof name }) == 0);
	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	check(sendto(filtered, "xyz", 3, 0, (void *)&name, sizeof name) == 3);
	check(sendto(filtered, "abc", 3, 0, (void *)&name, sizeof name) == 3);
	check(recv(filtered, text, sizeof text, 0) == 3 && memcmp(text, "abc", 3) == 0);
	check(setsockopt(filtered, SOL, SO_DETACH_FILTER, &(int){ 0 }, sizeof(int)) == -1 && errno == EPERM);
	if (geteuid() == 0) {
		memset(text, 0, sizeof text);
		check(getsockopt(filtered, SOL, SO_BINDTODEVICE, text, &(socklen_t){ sizeof text }) == 0);
		check(strcmp(text, "lo") == 0);
	}
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/udp_datagrams_unread.c
 * UDP datagrams that nobody has read: from a socket of the job, from one that is gone, empty ones, to
 * a connected socket, over IPv6 and from IPv4 to IPv6; each with its sender and its boundaries. A
 * socket of several processes; one with SO_PEEK_OFF.
 * Then multicast: memberships of both families, with the sources that are taken or refused.
 */
#include "scenario.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

static int udp(int family, bool any)
{
	struct sockaddr_in6 address = { .sin6_family = family };
	int file = socket(family, SOCK_DGRAM, 0);

	if (family == AF_INET && !any)
		((struct sockaddr_in *)&address)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (family == AF_INET6 && !any)
		address.sin6_addr = in6addr_loopback;
	check(file >= 0 && bind(file, (void *)&address, family == AF_INET ? 16 : sizeof address) == 0);
	return file;
}

static struct sockaddr_in6 name_of(int file, int family)
{
	struct sockaddr_in6 address = { 0 };

	check(getsockname(file, (void *)&address, &(socklen_t){ sizeof address }) == 0);
	if (family == AF_INET) {
		struct sockaddr_in *four = (void *)&address;

		four->sin_family = AF_INET;
		four->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		memset((char *)four + 8, 0, sizeof address - 8);
	} else {
		address.sin6_addr = in6addr_loopback;
	}
	return address;
}

static void put(int from, int to, int family, const char *text)
{
	struct sockaddr_in6 address = name_of(to, family);

	check(sendto(from, text, strlen(text), 0, (void *)&address, family == AF_INET ? 16 : sizeof address)
	      == (ssize_t)strlen(text));
}

/* Just this, from that port. */
static void expect(int file, const char *text, in_port_t port)
{
	struct sockaddr_in6 sender = { 0 };
	char got[64];
	ssize_t count = recvfrom(file, got, sizeof got, MSG_DONTWAIT, (void *)&sender,
		&(socklen_t){ sizeof sender });

	check(count == (ssize_t)strlen(text) && memcmp(got, text, count) == 0);
	check(sender.sin6_port == port);
}

static struct group_filter filter_of(int file, int level, const char *group, int family)
{
	struct group_filter filter = { .gf_interface = if_nametoindex("lo"), .gf_numsrc = 1 };

	filter.gf_group.ss_family = family;
	check(inet_pton(family, group, (char *)&filter.gf_group + (family == AF_INET ? 4 : 8)) == 1);
	if (getsockopt(file, level, MCAST_MSFILTER, &filter, &(socklen_t){ sizeof filter }) != 0)
		filter.gf_numsrc = 99;
	return filter;
}

static void join(int file, int level, const char *group, int family)
{
	struct group_req request = { .gr_interface = if_nametoindex("lo") };

	request.gr_group.ss_family = family;
	check(inet_pton(family, group, (char *)&request.gr_group + (family == AF_INET ? 4 : 8)) == 1);
	check(setsockopt(file, level, MCAST_JOIN_GROUP, &request, sizeof request) == 0);
}

int main(void)
{
	int four = udp(AF_INET, false), any = udp(AF_INET6, true), six = udp(AF_INET6, false);
	int sender = udp(AF_INET, true), sender6 = udp(AF_INET6, false), gone = udp(AF_INET, false);
	int connected = udp(AF_INET, false), peeked = udp(AF_INET, false), member = udp(AF_INET, true);
	int member6 = udp(AF_INET6, true), offset = 2;
	in_port_t port = name_of(sender, AF_INET).sin6_port, port6 = name_of(sender6, AF_INET6).sin6_port;
	in_port_t lost = name_of(gone, AF_INET).sin6_port;
	struct sockaddr_in6 name = name_of(sender, AF_INET);
	struct ip_mreq_source source = { .imr_interface.s_addr = htonl(INADDR_LOOPBACK) };
	struct group_filter filter;
	char text[16];
	pid_t child;

	put(sender, four, AF_INET, "one"), put(sender, four, AF_INET, ""), put(gone, four, AF_INET, "three");
	put(sender, any, AF_INET, "mapped"), put(sender6, any, AF_INET6, "six");
	put(sender6, six, AF_INET6, "only");
	check(connect(connected, (void *)&name, 16) == 0);
	put(sender, connected, AF_INET, "known");
	put(sender, peeked, AF_INET, "abcdef");
	check(setsockopt(peeked, SOL_SOCKET, SO_PEEK_OFF, &offset, sizeof offset) == 0);
	check(close(gone) == 0);
	join(member, IPPROTO_IP, "239.7.7.1", AF_INET);
	source.imr_multiaddr.s_addr = inet_addr("239.7.7.2");
	source.imr_sourceaddr.s_addr = inet_addr("10.1.2.3");
	check(setsockopt(member, IPPROTO_IP, IP_ADD_SOURCE_MEMBERSHIP, &source, sizeof source) == 0);
	join(member6, IPPROTO_IPV6, "ff15::77", AF_INET6);
	child = fork();
	if (child == 0) {
		wait_for_go(scenario_generation);
		expect(four, "one", port);
		tell("read");
		_exit(0);
	}
	checkpoint_here();

	await("read");
	expect(four, "", port), expect(four, "three", lost);
	expect(any, "mapped", port), expect(any, "six", port6), expect(six, "only", port6);
	expect(connected, "known", port);
	check(recv(peeked, text, sizeof text, MSG_PEEK) == 4 && memcmp(text, "cdef", 4) == 0);
	expect(peeked, "abcdef", port);
	check(recv(four, text, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN);
	filter = filter_of(member, IPPROTO_IP, "239.7.7.1", AF_INET);
	check(filter.gf_fmode == MCAST_EXCLUDE && filter.gf_numsrc == 0);
	filter = filter_of(member, IPPROTO_IP, "239.7.7.2", AF_INET);
	check(filter.gf_fmode == MCAST_INCLUDE && filter.gf_numsrc == 1);
	check(((struct sockaddr_in *)&filter.gf_slist[0])->sin_addr.s_addr == inet_addr("10.1.2.3"));
	filter = filter_of(member6, IPPROTO_IPV6, "ff15::77", AF_INET6);
	check(filter.gf_fmode == MCAST_EXCLUDE && filter.gf_numsrc == 0);
	check(filter_of(sender, IPPROTO_IP, "239.7.7.1", AF_INET).gf_numsrc == 99);
	check_exits_with(child, 0);
	return passed();
}

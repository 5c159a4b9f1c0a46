/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/internet_sockets_without_connection.c
 * UDP and TCP over IPv4 and IPv6, not bound, bound, connected (UDP) and listening: addresses,
 * ports and options are as they were, and they work.
 */
#include "scenario.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

static struct sockaddr_in6 name_of(int file)
{
	struct sockaddr_in6 address = { 0 };

	check(getsockname(file, (void *)&address, &(socklen_t){ sizeof address }) == 0);
	return address;
}

static int bound(int family, int type)
{
	struct sockaddr_in6 address = { .sin6_family = family };
	int file = socket(family, type, 0);

	if (family == AF_INET)
		((struct sockaddr_in *)&address)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	check(file >= 0);
	check(bind(file, (void *)&address, family == AF_INET ? sizeof(struct sockaddr_in) : sizeof address) == 0);
	return file;
}

static void set(int file, int level, int name, int value)
{
	check(setsockopt(file, level, name, &value, sizeof value) == 0);
}

static int get(int file, int level, int name)
{
	int value = -1;

	check(getsockopt(file, level, name, &value, &(socklen_t){ sizeof value }) == 0);
	return value;
}

static bool is_same(struct sockaddr_in6 a, struct sockaddr_in6 b)
{
	return memcmp(&a, &b, sizeof a) == 0;
}

int main(void)
{
	int udp = bound(AF_INET, SOCK_DGRAM), udp6 = bound(AF_INET6, SOCK_DGRAM), sender, fresh;
	int tcp = bound(AF_INET, SOCK_STREAM), tcp6 = bound(AF_INET6, SOCK_STREAM), idle, client, accepted;
	struct sockaddr_in6 names[5], peer = { 0 };
	char text[8];
	pid_t child;

	sender = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	names[0] = name_of(udp);
	check(connect(sender, (void *)&names[0], sizeof(struct sockaddr_in)) == 0);
	fresh = socket(AF_INET6, SOCK_STREAM, 0);
	idle = bound(AF_INET, SOCK_STREAM);
	set(fresh, IPPROTO_TCP, TCP_NODELAY, 1), set(fresh, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	set(fresh, SOL_SOCKET, SO_KEEPALIVE, 1), set(fresh, IPPROTO_TCP, TCP_KEEPIDLE, 77);
	set(udp, SOL_SOCKET, SO_BROADCAST, 1), set(udp, IPPROTO_IP, IP_TTL, 9);
	set(udp, IPPROTO_IP, IP_PKTINFO, 1), set(udp6, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	set(udp, SOL_SOCKET, SO_RCVBUF, 100000);
	check(listen(tcp, 5) == 0 && listen(tcp6, 6) == 0);
	names[1] = name_of(udp6), names[2] = name_of(tcp), names[3] = name_of(tcp6);
	names[4] = name_of(sender);
	child = fork();
	if (child == 0) {
		accepted = accept(tcp, NULL, NULL);
		check(accepted >= 0 && recv(accepted, text, 4, 0) == 4 && memcmp(text, "good", 4) == 0);
		_exit(13);
	}
	await_blocked_in(child, SYS_accept);
	checkpoint_here();

	check(is_same(names[0], name_of(udp)) && is_same(names[1], name_of(udp6)));
	check(is_same(names[2], name_of(tcp)) && is_same(names[3], name_of(tcp6)));
	check(is_same(names[4], name_of(sender)) && fcntl(sender, F_GETFL) == (O_RDWR | O_NONBLOCK));
	check(getpeername(sender, (void *)&peer, &(socklen_t){ sizeof peer }) == 0 && is_same(peer, names[0]));
	check(send(sender, "dgram", 5, 0) == 5 && recv(udp, text, 8, 0) == 5 && !memcmp(text, "dgram", 5));
	check(get(udp, SOL_SOCKET, SO_BROADCAST) == 1 && get(udp, IPPROTO_IP, IP_TTL) == 9);
	check(get(udp, IPPROTO_IP, IP_PKTINFO) == 1 && get(udp6, IPPROTO_IPV6, IPV6_RECVPKTINFO) == 1);
	check(get(udp, SOL_SOCKET, SO_RCVBUF) == 200000);
	check(get(udp6, IPPROTO_IP, IP_PKTINFO) == 0 && get(sender, IPPROTO_IP, IP_TTL) == 64);
	check(get(fresh, IPPROTO_TCP, TCP_NODELAY) == 1 && get(fresh, IPPROTO_IPV6, IPV6_V6ONLY) == 1);
	check(get(fresh, SOL_SOCKET, SO_KEEPALIVE) == 1 && get(fresh, IPPROTO_TCP, TCP_KEEPIDLE) == 77);
	check(get(tcp, SOL_SOCKET, SO_ACCEPTCONN) == 1 && get(idle, SOL_SOCKET, SO_ACCEPTCONN) == 0);
	{
		struct tcp_info info;

		check(getsockopt(tcp6, IPPROTO_TCP, TCP_INFO, &info, &(socklen_t){ sizeof info }) == 0);
		check(info.tcpi_sacked == 6);
	}
	client = socket(AF_INET, SOCK_STREAM, 0);
	check(connect(client, (void *)&names[2], sizeof(struct sockaddr_in)) == 0);
	check(send(client, "good", 4, 0) == 4);
	check_exits_with(child, 13);
	/* Dual-stack: an IPv4 client reaches the IPv6 server. */
	((struct sockaddr_in *)&peer)->sin_port = names[3].sin6_port;
	client = socket(AF_INET, SOCK_STREAM, 0);
	check(connect(client, (void *)&peer, sizeof(struct sockaddr_in)) == 0);
	accepted = accept(tcp6, NULL, NULL);
	check(accepted >= 0 && send(client, "both", 4, 0) == 4 && recv(accepted, text, 8, 0) == 4);
	return passed();
}

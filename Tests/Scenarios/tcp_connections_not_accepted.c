/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/tcp_connections_not_accepted.c
 * TCP within the job: clients that are connected and that the listener has not accepted yet, in their
 * order, over IPv4 and to a dual-stack listener; one of them waits for an answer.
 */
#include "scenario.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

static int listener(int family)
{
	struct sockaddr_in6 address = { .sin6_family = family };
	int file = socket(family, SOCK_STREAM, 0);

	check(setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)) == 0);
	check(bind(file, (void *)&address, family == AF_INET ? 16 : sizeof address) == 0);
	check(listen(file, 8) == 0);
	return file;
}

static int client(int server)
{
	struct sockaddr_in6 there = { 0 };
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int file = socket(AF_INET, SOCK_STREAM, 0);

	check(getsockname(server, (void *)&there, &(socklen_t){ sizeof there }) == 0);
	address.sin_port = there.sin6_port;
	check(connect(file, (void *)&address, sizeof address) == 0);
	return file;
}

static struct sockaddr_in name_of(int file)
{
	struct sockaddr_in name = { 0 };

	check(getsockname(file, (void *)&name, &(socklen_t){ sizeof name }) == 0);
	return name;
}

/* The next one is that client. */
static void meet(int server, int file, struct sockaddr_in name)
{
	struct sockaddr_in6 peer = { 0 };
	struct sockaddr_in now = name_of(file);
	int accepted = accept(server, (void *)&peer, &(socklen_t){ sizeof peer });
	char text[8];

	check(accepted >= 0 && memcmp(&now, &name, sizeof now) == 0);
	check(peer.sin6_port == name.sin_port);
	check(send(file, "hello", 5, 0) == 5 && recv(accepted, text, 5, MSG_WAITALL) == 5);
	check(send(accepted, "you", 3, 0) == 3);
}

int main(void)
{
	int four = listener(AF_INET), six = listener(AF_INET6);
	int clients[4] = { client(four), client(four), client(six), client(four) };
	struct sockaddr_in names[4];
	char text[8];
	pid_t child;

	for (int i = 0; i < 4; i++)
		names[i] = name_of(clients[i]);
	child = fork();
	if (child == 0) {
		check(recv(clients[3], text, 3, MSG_WAITALL) == 3 && memcmp(text, "you", 3) == 0);
		_exit(16);
	}
	await_blocked_in(child, SYS_recvfrom);
	checkpoint_here();

	meet(four, clients[0], names[0]), meet(four, clients[1], names[1]), meet(six, clients[2], names[2]);
	check(recv(clients[0], text, 3, MSG_WAITALL) == 3);
	meet(four, clients[3], names[3]);
	check_exits_with(child, 16);
	return passed();
}

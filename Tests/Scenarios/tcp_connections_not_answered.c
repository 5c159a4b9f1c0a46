/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/tcp_connections_not_answered.c
 * A server whose queue is full does not answer: one client is asleep in connect(2), one does not wait for it.
 * Both come through when those before them were accepted, and the one who sleeps has never noticed.
 * runner: seconds 60
 */
#include "scenario.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

static struct sockaddr_in name = { .sin_family = AF_INET };
static int server;

static int client(int flags)
{
	int file = socket(AF_INET, SOCK_STREAM | flags, 0);

	check(file >= 0);
	/* Asked again every second at least (TCP_RTO_MAX_MS); older kernels wait longer. */
	setsockopt(file, IPPROTO_TCP, 44, &(int){ 1000 }, sizeof(int));
	check(connect(file, (void *)&name, sizeof name) == 0 || (flags && errno == EINPROGRESS));
	return file;
}

static int state(int file)
{
	struct tcp_info info = { 0 };

	check(getsockopt(file, IPPROTO_TCP, TCP_INFO, &info, &(socklen_t){ sizeof info }) == 0);
	return info.tcpi_state;
}

int main(void)
{
	socklen_t size = sizeof name;
	int waiting, file, error, answered = 0;
	struct pollfd ready;
	char byte;
	pid_t child;

	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server = socket(AF_INET, SOCK_STREAM, 0);
	check(bind(server, (void *)&name, sizeof name) == 0 && listen(server, 0) == 0);
	check(getsockname(server, (void *)&name, &size) == 0);
	/* One more than the backlog is taken. */
	file = client(0);
	waiting = client(SOCK_NONBLOCK);
	child = fork();
	if (child == 0) {
		close(server);
		close(waiting);
		file = client(0);
		check(send(file, "c", 1, 0) == 1);
		_exit(6);
	}
	await_blocked_in(child, SYS_connect);
	check(state(waiting) == TCP_SYN_SENT);
	checkpoint_here();

	ready = (struct pollfd){ .fd = waiting, .events = POLLOUT };
	check(poll(&ready, 1, 0) == 0 && state(waiting) == TCP_SYN_SENT);
	check(getsockopt(waiting, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){ sizeof error }) == 0 && error == 0);
	for (int i = 0; i < 3; i++) {
		int accepted = accept(server, NULL, NULL);

		check(accepted >= 0);
		if (i == 0)
			continue;
		/* Whoever comes first. */
		if (!answered && poll(&ready, 1, 0) == 1) {
			check(send(waiting, "w", 1, 0) == 1);
			answered = 1;
		}
		check(recv(accepted, &byte, 1, 0) == 1 && (byte == 'w' || byte == 'c'));
	}
	check(answered);
	check_exits_with(child, 6);
	return passed();
}

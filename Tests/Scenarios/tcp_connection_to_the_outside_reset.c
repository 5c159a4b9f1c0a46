/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/tcp_connection_to_the_outside_reset.c
 * --tcp-close: a restored program finds a connection that led to nobody in the job reset; one that
 * was never killed goes on with it. What had arrived is read first.
 * runner: checkpoint --tcp-close
 */
#include "scenario.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

int main(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	int listener = socket(AF_INET, SOCK_STREAM, 0), file = socket(AF_INET, SOCK_STREAM, 0);
	struct pollfd entry = { .events = POLLIN };
	char text[8];

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	check(bind(listener, (void *)&address, sizeof address) == 0 && listen(listener, 1) == 0);
	check(getsockname(listener, (void *)&address, &(socklen_t){ sizeof address }) == 0);
	if (fork() == 0) {
		/* Whose parent is gone is in no tree of ours. */
		if (fork() != 0)
			_exit(0);
		file = accept(listener, NULL, NULL);
		if (send(file, "hello", 5, MSG_NOSIGNAL) == 5 && recv(file, text, 5, 0) == 5)
			send(file, text, 5, MSG_NOSIGNAL);
		_exit(0);
	}
	check(wait(NULL) > 0);
	check(close(listener) == 0 && connect(file, (void *)&address, sizeof address) == 0);
	check(recv(file, text, 5, MSG_WAITALL | MSG_PEEK) == 5 && memcmp(text, "hello", 5) == 0);
	checkpoint_here();
	entry.fd = file;
	if (!was_restarted()) {
		check(recv(file, text, 5, 0) == 5);
		check(send(file, "world", 5, MSG_NOSIGNAL) == 5);
		check(recv(file, text, 5, MSG_WAITALL) == 5 && memcmp(text, "world", 5) == 0);
		return passed();
	}
	check(poll(&entry, 1, 0) == 1 && entry.revents & POLLERR);
	check(recv(file, text, 6, MSG_DONTWAIT) == 5 && memcmp(text, "hello", 5) == 0);
	check(recv(file, text, 5, 0) == -1 && errno == ECONNRESET);
	checkpoint_here();
	check(recv(file, text, 5, 0) == 0);
	check(send(file, "x", 1, MSG_NOSIGNAL) == -1 && errno == EPIPE);
	return passed();
}

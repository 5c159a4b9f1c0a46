/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/tcp_buffers_full.c
 * TCP within the job, written to in both directions until nothing more fits, so that bytes wait at
 * the writer's end, too; one writer is blocked, one end was shut down behind what waits, one writer
 * holds a part of a packet back (TCP_CORK), and one reader has a small buffer of its own.
 */
#include "scenario.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

enum { limit = 64 * mebibyte };

static char *bytes;

static void connect_pair(int ends[2], int room)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	check(bind(listener, (void *)&address, sizeof address) == 0 && listen(listener, 1) == 0);
	check(getsockname(listener, (void *)&address, &(socklen_t){ sizeof address }) == 0);
	ends[0] = socket(AF_INET, SOCK_STREAM, 0);
	if (room)
		check(setsockopt(ends[0], SOL_SOCKET, SO_RCVBUF, &room, sizeof room) == 0);
	check(connect(ends[0], (void *)&address, sizeof address) == 0);
	ends[1] = accept(listener, NULL, NULL);
	check(ends[1] >= 0 && close(listener) == 0);
}

/* Until nothing fits any more, also after a while. */
static size_t stuff(int file)
{
	size_t count = 0;
	ssize_t now;

	for (int idle = 0; idle < 20 && count < limit;) {
		now = send(file, bytes + count, limit - count, MSG_DONTWAIT);
		check(now > 0 || errno == EAGAIN);
		if (now > 0)
			count += now, idle = 0;
		else
			pause_briefly(), idle++;
	}
	check(count > 100000);
	return count;
}

static void expect(int file, size_t count)
{
	char *got = memory(count);

	check(recv(file, got, count, MSG_WAITALL) == (ssize_t)count);
	check(memcmp(got, bytes, count) == 0);
	check(munmap(got, count) == 0);
}

static int option(int file, int level, int name)
{
	int value = -1;

	check(getsockopt(file, level, name, &value, &(socklen_t){ sizeof value }) == 0);
	return value;
}

int main(void)
{
	int both[2], small[2], ended[2], corked[2], blocked[2], deaf[2], room;
	size_t to_one, to_zero, to_small, to_end;
	pid_t writer;

	bytes = memory(limit);
	fill(bytes, limit, 5);
	connect_pair(both, 0), connect_pair(small, 9000), connect_pair(ended, 0);
	connect_pair(corked, 0), connect_pair(blocked, 0), connect_pair(deaf, 0);
	to_one = stuff(both[0]), to_zero = stuff(both[1]);
	to_small = stuff(small[1]);
	room = option(small[0], SOL_SOCKET, SO_RCVBUF);
	to_end = stuff(ended[1]);
	check(shutdown(ended[1], SHUT_WR) == 0);
	check(setsockopt(corked[0], IPPROTO_TCP, TCP_CORK, &(int){ 1 }, sizeof(int)) == 0);
	check(shutdown(deaf[0], SHUT_RD) == 0);
	writer = fork();
	if (writer == 0) {
		for (size_t done = 0; done < limit;) {
			ssize_t now = send(blocked[0], bytes + done, limit - done, 0);

			check(now > 0);
			done += now;
		}
		_exit(15);
	}
	await_blocked_in(writer, SYS_sendto);
	check(send(corked[0], "part", 4, 0) == 4);
	checkpoint_here();

	check(option(small[0], SOL_SOCKET, SO_RCVBUF) == room);
	check(option(corked[0], IPPROTO_TCP, TCP_CORK) == 1);
	check(setsockopt(corked[0], IPPROTO_TCP, TCP_CORK, &(int){ 0 }, sizeof(int)) == 0);
	check(recv(corked[1], bytes + limit - 8, 4, MSG_WAITALL) == 4 && !memcmp(bytes + limit - 8, "part", 4));
	fill(bytes, limit, 5);
	expect(both[1], to_one), expect(both[0], to_zero);
	expect(small[0], to_small);
	expect(ended[0], to_end);
	check(recv(ended[0], bytes, 1, 0) == 0);
	check(send(ended[0], "back", 4, 0) == 4 && recv(ended[1], bytes, 4, MSG_WAITALL) == 4);
	check(memcmp(bytes, "back", 4) == 0);
	fill(bytes, limit, 5);
	expect(blocked[1], limit);
	check_exits_with(writer, 15);
	check(recv(deaf[0], bytes, 1, 0) == 0);
	check(send(deaf[0], "says", 4, 0) == 4 && recv(deaf[1], bytes, 4, MSG_WAITALL) == 4);
	return passed();
}

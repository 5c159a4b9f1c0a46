/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/socket_pairs.c
 * socketpair(2) of streams, datagrams and packets: what is under way both ways, message by
 * message, ends that were shut down or closed, options, and a reader that is blocked.
 */
#include "scenario.h"
#include <sys/socket.h>

static char bytes[200000];

static void pair(int type, int ends[2])
{
	check(socketpair(AF_UNIX, type, 0, ends) == 0);
}

static void put(int file, const char *text)
{
	check(send(file, text, strlen(text), 0) == (ssize_t)strlen(text));
}

/* The next receive gives just this. */
static void expect(int file, const char *text)
{
	char got[64];

	check(recv(file, got, sizeof got, MSG_DONTWAIT) == (ssize_t)strlen(text));
	check(memcmp(got, text, strlen(text)) == 0);
}

static bool is_empty(int file)
{
	return recv(file, &(char){ 0 }, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN;
}

static int int_option(int file, int name)
{
	int value;

	check(getsockopt(file, SOL_SOCKET, name, &value, &(socklen_t){ sizeof value }) == 0);
	return value;
}

int main(void)
{
	int stream[2], datagram[2], packet[2], half[2], left[2], broken[2], shared[2], peeked[2], large[2];
	int room = 300000, offset = 3;
	struct timeval wait = { 5, 0 }, got;
	pid_t child;

	pair(SOCK_STREAM | SOCK_NONBLOCK, stream);
	pair(SOCK_DGRAM | SOCK_CLOEXEC, datagram);
	pair(SOCK_SEQPACKET, packet);
	pair(SOCK_STREAM, half);
	pair(SOCK_STREAM, left);
	pair(SOCK_STREAM, broken);
	pair(SOCK_STREAM, shared);
	pair(SOCK_DGRAM, peeked);
	pair(SOCK_STREAM, large);
	put(stream[0], "to ");
	put(stream[0], "one");
	put(stream[1], "to zero");
	put(datagram[0], "first"), put(datagram[0], ""), put(datagram[0], "third");
	put(datagram[1], "back");
	put(packet[0], "a packet"), put(packet[0], "another");
	put(half[0], "the last words");
	check(shutdown(half[0], SHUT_WR) == 0);
	put(left[0], "left behind");
	check(close(left[0]) == 0);
	put(broken[1], "never read");
	check(close(broken[0]) == 0);
	check(setsockopt(large[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof room) == 0);
	fill(bytes, sizeof bytes, 9);
	check(send(large[0], bytes, sizeof bytes, MSG_DONTWAIT) == sizeof bytes);
	check(setsockopt(stream[0], SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) == 0);
	check(setsockopt(stream[1], SOL_SOCKET, SO_PASSCRED, &(int){ 1 }, sizeof(int)) == 0);
	put(peeked[0], "abcdef"), put(peeked[0], "ghi");
	check(setsockopt(peeked[1], SOL_SOCKET, SO_PEEK_OFF, &offset, sizeof offset) == 0);
	check(int_option(large[0], SO_SNDBUF) >= room);
	room = int_option(large[0], SO_SNDBUF);
	child = fork();
	if (child == 0) {
		check(close(shared[0]) == 0);
		check(recv(shared[1], bytes, 4, MSG_WAITALL) == 4 && memcmp(bytes, "wake", 4) == 0);
		put(shared[1], "awake");
		_exit(11);
	}
	check(close(shared[1]) == 0);
	await_blocked_in(child, SYS_recvfrom);
	checkpoint_here();

	check(fcntl(stream[0], F_GETFL) == (O_RDWR | O_NONBLOCK));
	check(fcntl(datagram[0], F_GETFD) == FD_CLOEXEC && fcntl(datagram[0], F_GETFL) == O_RDWR);
	expect(stream[1], "to one"), expect(stream[0], "to zero");
	check(is_empty(stream[0]) && is_empty(stream[1]));
	expect(datagram[1], "first"), expect(datagram[1], ""), expect(datagram[1], "third");
	expect(datagram[0], "back");
	check(is_empty(datagram[0]) && is_empty(datagram[1]));
	expect(packet[1], "a packet"), expect(packet[1], "another");
	put(packet[1], "still"), expect(packet[0], "still");
	expect(half[1], "the last words");
	check(recv(half[1], bytes, 1, 0) == 0);
	check(send(half[0], "x", 1, MSG_NOSIGNAL) == -1 && errno == EPIPE);
	put(half[1], "the other way"), expect(half[0], "the other way");
	expect(left[1], "left behind");
	check(recv(left[1], bytes, 1, 0) == 0);
	check(send(left[1], "x", 1, MSG_NOSIGNAL) == -1 && errno == EPIPE);
	check(recv(broken[1], bytes, 1, 0) == -1 && errno == ECONNRESET);
	check(recv(broken[1], bytes, 1, 0) == 0);
	check(int_option(large[0], SO_SNDBUF) == room);
	memset(bytes, 0, sizeof bytes);
	check(recv(large[1], bytes, sizeof bytes, MSG_WAITALL) == sizeof bytes);
	check(is_filled(bytes, sizeof bytes, 9));
	check(getsockopt(stream[0], SOL_SOCKET, SO_RCVTIMEO, &got, &(socklen_t){ sizeof got }) == 0);
	check(got.tv_sec == 5 && got.tv_usec == 0);
	check(int_option(stream[1], SO_PASSCRED) == 1 && int_option(stream[0], SO_PASSCRED) == 0);
	check(int_option(peeked[1], SO_PEEK_OFF) == 3);
	check(recv(peeked[1], bytes, 9, MSG_PEEK) == 3 && memcmp(bytes, "def", 3) == 0);
	expect(peeked[1], "abcdef"), expect(peeked[1], "ghi");
	put(shared[0], "wake");
	check(recv(shared[0], bytes, 5, MSG_WAITALL) == 5 && memcmp(bytes, "awake", 5) == 0);
	check_exits_with(child, 11);
	check(recv(shared[0], bytes, 1, 0) == 0);
	return passed();
}

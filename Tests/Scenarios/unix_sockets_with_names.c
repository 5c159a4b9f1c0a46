/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/unix_sockets_with_names.c
 * Servers with a name in the file system, relative and absolute, and an abstract one: they listen
 * on, connections keep their names, one waits to be accepted, one outlives its listener and the
 * name; and datagrams that tell who sent them.
 */
#include "scenario.h"
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

static socklen_t size;

static struct sockaddr_un named(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	/* '@' begins an abstract one, as ss(8) shows it. */
	strcpy(address.sun_path, name);
	size = offsetof(struct sockaddr_un, sun_path) + strlen(name) + (name[0] != '@');
	if (name[0] == '@')
		address.sun_path[0] = 0;
	return address;
}

static int bound(int type, const char *name)
{
	struct sockaddr_un address = named(name);
	int file = socket(AF_UNIX, type, 0);

	check(file >= 0 && bind(file, (void *)&address, size) == 0);
	return file;
}

static int server(int type, const char *name)
{
	int file = bound(type, name);

	check(listen(file, 3) == 0);
	return file;
}

static int client(int type, const char *name)
{
	struct sockaddr_un address = named(name);
	int file = socket(AF_UNIX, type, 0);

	check(file >= 0 && connect(file, (void *)&address, size) == 0);
	return file;
}

static bool is_named(const struct sockaddr_un *address, socklen_t count, const char *name)
{
	struct sockaddr_un wanted = named(name);

	return count == size && memcmp(address, &wanted, size) == 0;
}

static bool has_name(int file, const char *name)
{
	struct sockaddr_un address;
	socklen_t count = sizeof address;

	check(getsockname(file, (void *)&address, &count) == 0);
	return is_named(&address, count, name);
}

static bool has_peer(int file, const char *name)
{
	struct sockaddr_un address;
	socklen_t count = sizeof address;

	check(getpeername(file, (void *)&address, &count) == 0);
	return is_named(&address, count, name);
}

static bool talks(int from, int to)
{
	char text[5];

	return send(from, "hello", 5, 0) == 5 && recv(to, text, 5, 0) == 5 && !memcmp(text, "hello", 5);
}

static void expect(int file, const char *text, const char *sender)
{
	struct sockaddr_un address = { 0 };
	socklen_t count = sizeof address;
	char got[64];

	check(recvfrom(file, got, sizeof got, MSG_DONTWAIT, (void *)&address, &count) ==
		(ssize_t)strlen(text));
	check(memcmp(got, text, strlen(text)) == 0);
	check(sender ? is_named(&address, count, sender) : count == 0);
}

static void tell_by(int file, const char *text, const char *to)
{
	struct sockaddr_un address = named(to);

	check(sendto(file, text, strlen(text), 0, (void *)&address, size) == (ssize_t)strlen(text));
}

int main(void)
{
	char absolute[PATH_MAX], hidden[64];
	int plain, abstract, gone, ends[2], packets[2], orphan[2], waiting, accepted, mailbox, writers[3];
	struct stat status;
	char text[16];
	pid_t child;

	path_in_scenario(absolute, "absolute");
	snprintf(hidden, sizeof hidden, "@cr-scenario-%d", (int)getpid());
	plain = server(SOCK_STREAM, "relative");
	abstract = server(SOCK_SEQPACKET, hidden);
	gone = server(SOCK_STREAM, absolute);
	check(chmod("relative", 0640) == 0);
	ends[0] = client(SOCK_STREAM, "relative"), ends[1] = accept(plain, NULL, NULL);
	packets[0] = client(SOCK_SEQPACKET, hidden), packets[1] = accept(abstract, NULL, NULL);
	orphan[0] = client(SOCK_STREAM, absolute), orphan[1] = accept(gone, NULL, NULL);
	check(close(gone) == 0 && unlink(absolute) == 0);
	check(send(ends[0], "under way", 9, 0) == 9);
	child = fork();
	if (child == 0) {
		/* Sleeps in accept(2) over the checkpoint, behind one that waits already. */
		accepted = accept(abstract, NULL, NULL);
		check(accepted >= 0 && recv(accepted, text, 4, 0) == 4 && !memcmp(text, "late", 4));
		_exit(12);
	}
	await_blocked_in(child, SYS_accept);
	waiting = client(SOCK_STREAM, "relative");

	mailbox = bound(SOCK_DGRAM, "mailbox");
	writers[0] = bound(SOCK_DGRAM, "writer");
	writers[1] = socket(AF_UNIX, SOCK_DGRAM, 0);
	writers[2] = client(SOCK_DGRAM, "mailbox");
	tell_by(writers[0], "one", "mailbox"), tell_by(writers[1], "two", "mailbox");
	check(send(writers[2], "three", 5, 0) == 5);
	checkpoint_here();

	check(has_name(plain, "relative") && has_name(abstract, hidden));
	check(stat("relative", &status) == 0 && status.st_mode == (S_IFSOCK | 0640));
	check(has_name(ends[1], "relative") && has_peer(ends[0], "relative"));
	check(recv(ends[1], text, sizeof text, 0) == 9 && memcmp(text, "under way", 9) == 0);
	check(talks(ends[0], ends[1]) && talks(ends[1], ends[0]));
	check(has_name(packets[1], hidden) && talks(packets[0], packets[1]));
	check(has_peer(orphan[0], absolute) && has_name(orphan[1], absolute));
	check(talks(orphan[1], orphan[0]) && access(absolute, F_OK) == -1);

	accepted = accept(plain, NULL, NULL);
	check(accepted >= 0 && talks(waiting, accepted) && talks(accepted, waiting));
	check(fcntl(plain, F_SETFL, O_NONBLOCK) == 0);
	check(accept(plain, NULL, NULL) == -1 && errno == EAGAIN);
	check(send(client(SOCK_STREAM, "relative"), "new", 3, 0) == 3);
	accepted = accept(plain, NULL, NULL);
	check(accepted >= 0 && recv(accepted, text, sizeof text, 0) == 3);
	check(send(client(SOCK_SEQPACKET, hidden), "late", 4, 0) == 4);
	check_exits_with(child, 12);

	expect(mailbox, "one", "writer"), expect(mailbox, "two", NULL), expect(mailbox, "three", NULL);
	check(send(writers[2], "four", 4, 0) == 4);
	tell_by(mailbox, "five", "writer");
	expect(mailbox, "four", NULL), expect(writers[0], "five", "mailbox");
	check(has_peer(writers[2], "mailbox"));
	return passed();
}

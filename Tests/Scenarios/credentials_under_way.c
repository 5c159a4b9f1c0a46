/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/credentials_under_way.c
 * Messages that were not received yet tell who has sent them (SO_PASSCRED): a child, and whoever root has
 * named (SCM_CREDENTIALS). Bytes of different senders are not read together.
 * runner: root
 */
#include "scenario.h"
#include <sys/socket.h>

static void receive(int socket, const char *text, pid_t process, uid_t user, gid_t group)
{
	union { char bytes[CMSG_SPACE(sizeof(struct ucred))]; struct cmsghdr aligned; } control;
	char got[64];
	struct iovec part = { got, sizeof got };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes,
		.msg_controllen = sizeof control };
	struct ucred sender;

	check(recvmsg(socket, &message, MSG_DONTWAIT) == (ssize_t)strlen(text));
	check(memcmp(got, text, strlen(text)) == 0);
	check(CMSG_FIRSTHDR(&message) && CMSG_FIRSTHDR(&message)->cmsg_type == SCM_CREDENTIALS);
	memcpy(&sender, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof sender);
	check(sender.pid == process && sender.uid == user && sender.gid == group);
}

static void send_as(int socket, const char *text, pid_t process, uid_t user, gid_t group)
{
	union { char bytes[CMSG_SPACE(sizeof(struct ucred))]; struct cmsghdr aligned; } control;
	struct ucred sender = { process, user, group };
	struct iovec part = { (void *)text, strlen(text) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes,
		.msg_controllen = sizeof control };

	memset(&control, 0, sizeof control);
	control.aligned.cmsg_level = SOL_SOCKET;
	control.aligned.cmsg_type = SCM_CREDENTIALS;
	control.aligned.cmsg_len = CMSG_LEN(sizeof sender);
	memcpy(CMSG_DATA(&control.aligned), &sender, sizeof sender);
	check(sendmsg(socket, &message, 0) == (ssize_t)strlen(text));
}

int main(void)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
	int ends[3][2];
	pid_t child;

	for (int i = 0; i < 3; i++) {
		check(socketpair(AF_UNIX, types[i], 0, ends[i]) == 0);
		check(setsockopt(ends[i][1], SOL_SOCKET, SO_PASSCRED, &(int){ 1 }, sizeof(int)) == 0);
	}
	child = fork();
	if (child == 0) {
		for (int i = 0; i < 3; i++)
			check(send(ends[i][0], "child", 5, 0) == 5);
		tell("sent");
		pause();
		_exit(0);
	}
	await("sent");
	for (int i = 0; i < 3; i++) {
		check(send(ends[i][0], "parent", 6, 0) == 6);
		send_as(ends[i][0], "named", child, 1234, 4321);
	}
	checkpoint_here();
	for (int i = 0; i < 3; i++) {
		receive(ends[i][1], "child", child, getuid(), getgid());
		receive(ends[i][1], "parent", getpid(), getuid(), getgid());
		receive(ends[i][1], "named", child, 1234, 4321);
	}
	check(kill(child, SIGKILL) == 0);
	check_dies_of(child, SIGKILL);
	return passed();
}

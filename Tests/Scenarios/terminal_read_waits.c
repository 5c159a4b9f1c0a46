/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/terminal_read_waits.c
 * A process waits in read(2) at a terminal whose master a parent has, by descriptors that both got by
 * fork and one that came by SCM_RIGHTS: the same terminal, one position of its flags.
 */
#include "terminal.h"
#include <sys/socket.h>

static void send_descriptor(int socket, int fd)
{
	char byte = 0, control[CMSG_SPACE(sizeof fd)] = { 0 };
	struct iovec part = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control,
	};
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);

	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(head), &fd, sizeof fd);
	check(sendmsg(socket, &message, 0) == 1);
}

static int receive_descriptor(int socket)
{
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec part = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control,
	};
	int fd;

	check(recvmsg(socket, &message, 0) == 1);
	check(CMSG_FIRSTHDR(&message));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
	return fd;
}

int main(void)
{
	int slave, master = new_terminal(&slave), channel[2], sent;
	char text[64];
	pid_t child;

	check(fcntl(slave, F_SETFL, 0) == 0);
	check(socketpair(AF_UNIX, SOCK_STREAM, 0, channel) == 0);
	child = fork();
	check(child >= 0);
	if (child == 0) {
		close(master);
		send_descriptor(channel[1], slave);
		check(read(slave, text, sizeof text) == 6);
		check(memcmp(text, "hello\n", 6) == 0);
		check(fcntl(slave, F_GETFL) & O_NONBLOCK);
		_exit(3);
	}
	close(slave);
	sent = receive_descriptor(channel[0]);
	await_blocked_in(child, SYS_read);
	checkpoint_here();
	check(fcntl(sent, F_SETFL, O_NONBLOCK) == 0);
	type(master, "hello\n", 6);
	check_exits_with(child, 3);
	check_reads(master, "hello\r\n", 7);
	return passed();
}

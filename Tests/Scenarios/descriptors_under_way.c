/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/descriptors_under_way.c
 * Descriptors that were sent through UNIX sockets and not received yet (SCM_RIGHTS): no process need have
 * them open, and sockets among them may have more in them, or be sent through themselves. They come with
 * the byte that they were sent with, lead to the same open files as before, and keep what is in those.
 */
#include "scenario.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

static char bytes[100000];

static void pair(int type, int ends[2])
{
	check(socketpair(AF_UNIX, type, 0, ends) == 0);
}

static void send_with(int socket, const void *text, size_t size, const int *files, int count)
{
	union { char bytes[CMSG_SPACE(253 * sizeof(int))]; struct cmsghdr aligned; } control;
	struct iovec part = { (void *)text, size };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	memset(&control, 0, sizeof control);
	if (count) {
		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		CMSG_FIRSTHDR(&message)->cmsg_level = SOL_SOCKET;
		CMSG_FIRSTHDR(&message)->cmsg_type = SCM_RIGHTS;
		CMSG_FIRSTHDR(&message)->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), files, count * sizeof(int));
	}
	check(sendmsg(socket, &message, MSG_DONTWAIT) == (ssize_t)size);
}

/* Reads up to size bytes; how many came. */
static ssize_t receive(int socket, void *text, size_t size, int *files, int *count)
{
	union { char bytes[CMSG_SPACE(253 * sizeof(int))]; struct cmsghdr aligned; } control;
	struct iovec part = { text, size };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes,
		.msg_controllen = sizeof control };
	ssize_t result = recvmsg(socket, &message, MSG_DONTWAIT);
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);

	*count = 0;
	if (result < 0)
		return result;
	check(!(message.msg_flags & MSG_CTRUNC));
	if (head) {
		check(head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS);
		*count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(files, CMSG_DATA(head), *count * sizeof(int));
	}
	return result;
}

static int receive_one(int socket, const char *text)
{
	int files[253], count;
	char got[64];

	check(receive(socket, got, strlen(text), files, &count) == (ssize_t)strlen(text));
	check(memcmp(got, text, strlen(text)) == 0 && count == 1);
	return files[0];
}

static void receive_plain(int socket, const char *text)
{
	int files[253], count;
	char got[64];

	check(receive(socket, got, strlen(text), files, &count) == (ssize_t)strlen(text));
	check(memcmp(got, text, strlen(text)) == 0 && count == 0);
}

static void send_and_close(int socket, const char *text, int file)
{
	send_with(socket, text, strlen(text), &file, 1);
	check(close(file) == 0);
}

int main(void)
{
	int stream[2], datagram[2], packet[2], big[2], many[2], inner[2], innermost[2], loop[2], work[2], ended[2];
	int file, shared, event, poll, timer, memory, deleted, files[253], count, status;
	struct epoll_event ready = { .events = EPOLLIN, .data.u64 = 77 };
	struct itimerspec later = { .it_value.tv_sec = 1000 };
	struct stat before, after;
	pid_t child;

	pair(SOCK_STREAM, stream), pair(SOCK_DGRAM, datagram), pair(SOCK_SEQPACKET, packet);
	pair(SOCK_STREAM, big), pair(SOCK_STREAM, many), pair(SOCK_STREAM, loop), pair(SOCK_SEQPACKET, ended);

	/* A file that nobody has open but the socket, in the midst of plain bytes; and one that is shared. */
	send_with(stream[0], "plain", 5, NULL, 0);
	file = file_with("alone", 3000, 5);
	check(lseek(file, 1000, SEEK_SET) == 1000);
	send_and_close(stream[0], "alone", file);
	send_with(stream[0], "between", 7, NULL, 0);
	shared = file_with("shared", 3000, 6);
	send_with(stream[0], "shared", 6, &shared, 1);
	deleted = file_with("deleted", 3000, 7);
	check(fstat(deleted, &before) == 0);
	delete_file("deleted");
	send_and_close(stream[0], "deleted", deleted);
	send_with(stream[0], "end", 3, NULL, 0);

	/* A datagram with both ends of a pipe that holds a byte; kernel objects in further ones. */
	check(pipe(work) == 0 && write(work[1], "p", 1) == 1);
	send_with(datagram[0], "pipe", 4, work, 2);
	check(close(work[0]) == 0 && close(work[1]) == 0);
	event = eventfd(5, EFD_NONBLOCK);
	poll = epoll_create1(0);
	check(epoll_ctl(poll, EPOLL_CTL_ADD, event, &ready) == 0);
	send_with(datagram[0], "event", 5, &event, 1);
	send_and_close(datagram[0], "poll", poll);
	check(close(event) == 0);
	timer = timerfd_create(CLOCK_MONOTONIC, 0);
	check(timerfd_settime(timer, 0, &later, NULL) == 0);
	send_and_close(datagram[0], "timer", timer);
	memory = memfd_create("memory", MFD_ALLOW_SEALING);
	check(write(memory, "contents", 8) == 8 && fcntl(memory, F_ADD_SEALS, F_SEAL_WRITE) == 0);
	send_and_close(datagram[0], "memory", memory);
	child = fork();
	if (child == 0) {
		check(pause() == -1);
		_exit(1);
	}
	send_and_close(datagram[0], "process", syscall(SYS_pidfd_open, child, 0));

	/* Sockets in sockets: packet holds inner, that holds innermost, that holds a byte. */
	pair(SOCK_STREAM, inner), pair(SOCK_STREAM, innermost);
	send_with(innermost[0], "deep", 4, NULL, 0);
	send_with(inner[0], "i", 1, innermost, 2);
	check(close(innermost[0]) == 0 && close(innermost[1]) == 0);
	send_with(packet[0], "sockets", 7, inner, 2);
	check(close(inner[0]) == 0 && close(inner[1]) == 0);
	/* One end of a pair is under way to the other. */
	send_with(loop[0], "loop", 4, &loop[0], 1);
	/* The descriptors of a long message come with its first byte, and leave with that. */
	fill(bytes, sizeof bytes, 8);
	send_with(big[0], bytes, sizeof bytes, &shared, 1);
	send_with(big[0], "rest", 4, &shared, 1);
	check(receive(big[1], bytes, 10, files, &count) == 10 && count == 1 && close(files[0]) == 0);
	for (int i = 0; i < 253; i++)
		files[i] = i % 2 ? shared : stream[0];
	send_with(many[0], "m", 1, files, 253);
	send_with(ended[0], "last", 4, &shared, 1);
	check(close(ended[0]) == 0);
	checkpoint_here();

	receive_plain(stream[1], "plain");
	file = receive_one(stream[1], "alone");
	check(lseek(file, 0, SEEK_CUR) == 1000 && fcntl(file, F_GETFL) & O_RDWR);
	receive_plain(stream[1], "between");
	file = receive_one(stream[1], "shared");
	check(lseek(shared, 123, SEEK_SET) == 123 && lseek(file, 0, SEEK_CUR) == 123);
	check(fcntl(file, F_GETFD) == 0);
	deleted = receive_one(stream[1], "deleted");
	check(fstat(deleted, &after) == 0 && after.st_nlink == 0 && after.st_size == before.st_size);
	check(pread(deleted, bytes, 3000, 0) == 3000 && is_filled(bytes, 3000, 7));
	receive_plain(stream[1], "end");
	check(receive(stream[1], bytes, 1, files, &count) == -1 && errno == EAGAIN);

	check(receive(datagram[1], bytes, 9, work, &count) == 4 && count == 2);
	check(read(work[0], bytes, 9) == 1 && bytes[0] == 'p' && write(work[1], "q", 1) == 1);
	check(read(work[0], bytes, 9) == 1 && bytes[0] == 'q');
	event = receive_one(datagram[1], "event"), poll = receive_one(datagram[1], "poll");
	ready.data.u64 = 0;
	check(epoll_wait(poll, &ready, 1, 0) == 1 && ready.data.u64 == 77);
	check(read(event, bytes, 8) == 8 && bytes[0] == 5 && epoll_wait(poll, &ready, 1, 0) == 0);
	timer = receive_one(datagram[1], "timer");
	check(timerfd_gettime(timer, &later) == 0 && later.it_value.tv_sec > 500);
	memory = receive_one(datagram[1], "memory");
	check(pread(memory, bytes, 9, 0) == 8 && fcntl(memory, F_GET_SEALS) == F_SEAL_WRITE);
	file = receive_one(datagram[1], "process");
	check(syscall(SYS_pidfd_send_signal, file, SIGTERM, NULL, 0) == 0);
	check(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);

	check(receive(packet[1], bytes, 9, inner, &count) == 7 && count == 2);
	check(receive(inner[1], bytes, 9, innermost, &count) == 1 && count == 2 && bytes[0] == 'i');
	receive_plain(innermost[1], "deep");
	send_with(innermost[1], "back", 4, NULL, 0);
	receive_plain(innermost[0], "back");
	file = receive_one(loop[1], "loop");
	send_with(loop[1], "round", 5, NULL, 0);
	receive_plain(file, "round");

	for (size_t done = 10; done < sizeof bytes; done += count) {
		ssize_t result = recv(big[1], bytes + done, sizeof bytes - done, MSG_DONTWAIT);

		check(result > 0);
		count = result;
	}
	fill(bytes, 10, 8);
	check(is_filled(bytes, sizeof bytes, 8));
	check(close(receive_one(big[1], "rest")) == 0);
	check(receive(many[1], bytes, 1, files, &count) == 1 && count == 253);
	check(lseek(files[251], 0, SEEK_CUR) == 123);
	send_with(files[252], "all", 3, NULL, 0);
	receive_plain(stream[1], "all");
	check(lseek(receive_one(ended[1], "last"), 0, SEEK_CUR) == 123);
	check(recv(ended[1], bytes, 9, MSG_DONTWAIT) == 0);
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/posix_message_queues.c
 * POSIX message queues: messages of several priorities in their order; a description of one's own,
 * one that is shared by fork and one that does not block; a queue whose name is gone; a full queue that
 * a child waits to send to, an empty one that a child waits to receive from, and one that tells of a
 * message by a signal.
 */
#include "scenario.h"
#include <mqueue.h>

static char name[64];
static volatile sig_atomic_t told;

static void hear(int number)
{
	(void)number;
	told++;
}

static mqd_t queue(const char *kind, int flags, long capacity)
{
	struct mq_attr attributes = { .mq_maxmsg = capacity, .mq_msgsize = 200 };
	mqd_t made;

	snprintf(name, sizeof name, "/cr-%s.%d", kind, (int)getpid());
	made = mq_open(name, flags | O_CREAT | O_EXCL, 0640, &attributes);
	check(made >= 0);
	return made;
}

static void send(mqd_t to, unsigned priority, size_t size)
{
	char bytes[200];

	fill(bytes, size, priority * 1000 + size);
	check(mq_send(to, bytes, size, priority) == 0);
}

static void receive(mqd_t from, unsigned expected, size_t size)
{
	char bytes[200];
	unsigned priority;

	check(mq_receive(from, bytes, sizeof bytes, &priority) == (ssize_t)size);
	check(priority == expected && is_filled(bytes, size, expected * 1000 + size));
}

static struct mq_attr state_of(mqd_t of)
{
	struct mq_attr attributes;

	check(mq_getattr(of, &attributes) == 0);
	return attributes;
}

int main(void)
{
	mqd_t several = queue("several", O_RDWR, 8), reader = mq_open(name, O_RDONLY | O_NONBLOCK);
	mqd_t lost = queue("lost", O_RDWR, 3), full, empty, telling;
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct stat state;
	pid_t sender, receiver;

	check(reader >= 0 && mq_unlink(name) == 0);
	full = queue("full", O_RDWR, 2);
	empty = queue("empty", O_RDWR, 2);
	telling = queue("telling", O_RDWR, 2);
	send(several, 1, 10);
	send(several, 5, 11);
	send(several, 1, 200);
	send(several, 32767, 0);
	send(several, 5, 13);
	send(lost, 2, 14);
	send(full, 2, 15);
	send(full, 2, 16);
	sender = fork();
	if (sender == 0) {
		send(full, 9, 17);
		_exit(0);
	}
	receiver = fork();
	if (receiver == 0) {
		receive(empty, 3, 18);
		_exit(0);
	}
	check(signal(SIGUSR1, hear) != SIG_ERR);
	check(mq_notify(telling, &event) == 0);
	await_blocked_in(sender, SYS_mq_timedsend);
	await_blocked_in(receiver, SYS_mq_timedreceive);
	checkpoint_here();
	await_blocked_in(sender, SYS_mq_timedsend);
	await_blocked_in(receiver, SYS_mq_timedreceive);
	check(told == 0);
	send(telling, 1, 1);
	check(told == 1);
	check(state_of(several).mq_maxmsg == 8 && state_of(several).mq_msgsize == 200);
	check(state_of(several).mq_curmsgs == 5 && state_of(several).mq_flags == 0);
	check(state_of(reader).mq_flags == O_NONBLOCK && state_of(reader).mq_curmsgs == 5);
	check(fstat(several, &state) == 0 && (state.st_mode & 0777) == 0640);
	check(mq_send(reader, "", 0, 0) < 0 && errno == EBADF);
	receive(reader, 32767, 0);
	receive(several, 5, 11);
	receive(several, 5, 13);
	receive(reader, 1, 10);
	receive(reader, 1, 200);
	check(mq_receive(reader, (char[200]){ 0 }, 200, NULL) < 0 && errno == EAGAIN);
	receive(lost, 2, 14);
	send(empty, 3, 18);
	check_exits_with(receiver, 0);
	receive(full, 2, 15);
	check_exits_with(sender, 0);
	receive(full, 9, 17);
	receive(full, 2, 16);
	for (const char **kind = (const char *[]){ "several", "full", "empty", "telling", NULL }; *kind; kind++) {
		snprintf(name, sizeof name, "/cr-%s.%d", *kind, (int)getpid());
		check(mq_unlink(name) == 0);
	}
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "CLinux.h"
#include <mqueue.h>
#include <stdlib.h>
#include <sys/wait.h>

long cr_queue_open(const char *name, int flags, uint32_t mode, const struct cr_queue *queue)
{
	struct mq_attr attributes = { .mq_maxmsg = queue->capacity, .mq_msgsize = queue->message_size };

	return cr_syscall(SYS_mq_open, (long)name, flags | O_CLOEXEC | O_NONBLOCK, mode, (long)&attributes,
		0, 0);
}

long cr_queue_unlink(const char *name)
{
	return cr_syscall(SYS_mq_unlink, (long)name, 0, 0, 0, 0, 0);
}

long cr_queue_state(int fd, struct cr_queue *queue)
{
	struct mq_attr attributes;
	long result = cr_syscall(SYS_mq_getsetattr, fd, 0, (long)&attributes, 0, 0, 0);

	if (result < 0)
		return result;
	queue->capacity = attributes.mq_maxmsg;
	queue->message_size = attributes.mq_msgsize;
	queue->count = attributes.mq_curmsgs;
	return 0;
}

static long receive(int fd, char *bytes, size_t size, unsigned *priority)
{
#ifdef SYS_mq_timedreceive
	return cr_syscall(SYS_mq_timedreceive, fd, (long)bytes, size, (long)priority, 0, 0);
#else
	return cr_syscall(SYS_mq_timedreceive_time64, fd, (long)bytes, size, (long)priority, 0, 0);
#endif
}

long cr_queue_send(int fd, uint32_t priority, const void *bytes, size_t size)
{
#ifdef SYS_mq_timedsend
	return cr_syscall(SYS_mq_timedsend, fd, (long)bytes, size, priority, 0, 0);
#else
	return cr_syscall(SYS_mq_timedsend_time64, fd, (long)bytes, size, priority, 0, 0);
#endif
}

/* In a process that shares nothing but `records` with us, and makes raw calls only. */
static long take_and_give_back(int fd, uint64_t message_size, uint64_t count, char *records)
{
	size_t step = 8 + message_size;
	uint64_t taken = 0, given;
	long result = 0;

	for (; taken < count; taken++) {
		unsigned priority = 0;
		uint32_t *head = (uint32_t *)(records + taken * step);
		char *bytes = records + taken * step + 8;

		result = receive(fd, bytes, message_size, &priority);
		if (result < 0)
			break;
		head[0] = priority;
		head[1] = result;
	}
	for (given = 0; given < taken; given++) {
		uint32_t *head = (uint32_t *)(records + given * step);
		long sent = cr_queue_send(fd, head[0], records + given * step + 8, head[1]);

		if (sent < 0)
			return sent;
	}
	return taken == count || result == -EAGAIN ? (long)taken : result;
}

long cr_queue_look(int fd, uint64_t message_size, uint64_t count, void *records, size_t size)
{
	size_t step = (8 + message_size + 7) / 8 * 8, room = step * count + sizeof(long);
	uint64_t all = ~0ull, before = 0;
	char *shared = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	long child, *outcome, result;

	if (shared == MAP_FAILED)
		return -errno;
	outcome = (long *)(shared + step * count);
	*outcome = -EINTR;
	/* Blocked signals are inherited; no exit signal: nobody hears of its end. */
	cr_syscall(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, (long)&before, 8, 0, 0);
	child = cr_syscall(SYS_clone, 0, 0, 0, 0, 0, 0);
	if (child == 0) {
		cr_syscall(SYS_setsid, 0, 0, 0, 0, 0, 0);
		*outcome = take_and_give_back(fd, step - 8, count, shared);
		for (;;)
			cr_syscall(SYS_exit_group, 0, 0, 0, 0, 0, 0);
	}
	cr_syscall(SYS_rt_sigprocmask, SIG_SETMASK, (long)&before, 0, 8, 0, 0);
	if (child > 0)
		while (cr_syscall(SYS_wait4, child, 0, __WALL, 0, 0, 0) == -EINTR)
			;
	result = child < 0 ? child : *outcome;
	for (long place = 0; place < result; place++)
		if ((place + 1) * (8 + message_size) <= size)
			memcpy((char *)records + place * (8 + message_size), shared + place * step,
				8 + message_size);
	munmap(shared, room);
	return result;
}

long cr_queue_drop(int fd, uint64_t message_size)
{
	unsigned priority;
	char *bytes = malloc(message_size ? message_size : 1);
	long result = bytes ? receive(fd, bytes, message_size, &priority) : -ENOMEM;

	free(bytes);
	return result;
}

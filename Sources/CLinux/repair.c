/* SPDX-License-Identifier: Apache-2.0 */
#include "CLinux.h"
#include <netinet/in.h>
#include <sys/socket.h>

/* linux/tcp.h and linux/sockios.h, which do not go together with the C library's. */
enum {
	tcp_maxseg = 2, tcp_repair = 19, tcp_repair_queue = 20, tcp_queue_seq = 21, tcp_timestamp = 24,
	tcp_repair_window = 29,
	no_queue = 0, receive_queue = 1, send_queue = 2,
	repair_off = 0, repair_on = 1, repair_off_silently = -1,
	siocoutqnsd = 0x894b,
};

static long set(int fd, int level, int name, int value)
{
	return cr_syscall(SYS_setsockopt, fd, level, name, (long)&value, sizeof value, 0);
}

static long get(int fd, int level, int name, void *value, uint32_t size)
{
	return cr_syscall(SYS_getsockopt, fd, level, name, (long)value, (long)&size, 0);
}

long cr_connection_end_repair(int fd, int probe, int reuse)
{
	long result = -EINVAL;

	/* Without a probe from Linux 4.19 on. */
	if (!probe)
		result = set(fd, IPPROTO_TCP, tcp_repair, repair_off_silently);
	if (result < 0)
		result = set(fd, IPPROTO_TCP, tcp_repair, repair_off);
	if (result < 0)
		return result;
	return set(fd, SOL_SOCKET, SO_REUSEADDR, reuse);
}

static long look(int fd, struct cr_connection *state, void *queue, size_t size)
{
	long result, count;

	if ((result = set(fd, IPPROTO_TCP, tcp_repair_queue, send_queue)) < 0 ||
	    (result = get(fd, IPPROTO_TCP, tcp_queue_seq, &state->send_sequence, 4)) < 0)
		return result;
	count = cr_syscall(SYS_recvfrom, fd, (long)queue, size, MSG_PEEK | MSG_DONTWAIT, 0, 0);
	if (count < 0 && count != -EAGAIN)
		return count;
	state->queued = count < 0 ? 0 : count;
	if ((result = set(fd, IPPROTO_TCP, tcp_repair_queue, receive_queue)) < 0 ||
	    (result = get(fd, IPPROTO_TCP, tcp_queue_seq, &state->receive_sequence, 4)) < 0 ||
	    (result = set(fd, IPPROTO_TCP, tcp_repair_queue, no_queue)) < 0 ||
	    (result = get(fd, IPPROTO_TCP, tcp_repair_window, state->window, sizeof state->window)) < 0 ||
	    (result = get(fd, IPPROTO_TCP, tcp_maxseg, &state->segment_size, 4)) < 0 ||
	    (result = get(fd, IPPROTO_TCP, tcp_timestamp, &state->timestamp, 4)) < 0)
		return result;
	return 0;
}

static long repair_and_look(int fd, struct cr_connection *state, void *queue, size_t size)
{
	int reuse = 0;
	long result = get(fd, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse), end;

	if (result < 0 || (result = set(fd, IPPROTO_TCP, tcp_repair, repair_on)) < 0)
		return result;
	result = look(fd, state, queue, size);
	end = cr_connection_end_repair(fd, 0, reuse);
	return result < 0 ? result : end;
}

long cr_connection_look(int fd, struct cr_connection *state, void *queue, size_t size)
{
	struct shared {
		long outcome;
		struct cr_connection state;
		char queue[];
	} *shared;
	uint64_t all = ~0ull, before = 0;
	size_t room = sizeof *shared + size;
	long child, result;

	shared = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return -errno;
	shared->outcome = -EINTR;
	/* Blocked signals are inherited; no exit signal: nobody hears of its end. */
	cr_syscall(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, (long)&before, 8, 0, 0);
	child = cr_syscall(SYS_clone, 0, 0, 0, 0, 0, 0);
	if (child == 0) {
		cr_syscall(SYS_setsid, 0, 0, 0, 0, 0, 0);
		shared->outcome = repair_and_look(fd, &shared->state, shared->queue, size);
		for (;;)
			cr_syscall(SYS_exit_group, 0, 0, 0, 0, 0, 0);
	}
	cr_syscall(SYS_rt_sigprocmask, SIG_SETMASK, (long)&before, 0, 8, 0, 0);
	if (child > 0)
		while (cr_syscall(SYS_wait4, child, 0, __WALL, 0, 0, 0) == -EINTR)
			;
	result = child < 0 ? child : shared->outcome;
	if (result >= 0) {
		*state = shared->state;
		memcpy(queue, shared->queue, shared->state.queued);
		if ((result = cr_syscall(SYS_ioctl, fd, TIOCOUTQ, (long)&state->unacknowledged, 0, 0, 0)) >= 0)
			result = cr_syscall(SYS_ioctl, fd, siocoutqnsd, (long)&state->unsent, 0, 0, 0);
	}
	munmap(shared, room);
	return result < 0 ? result : 0;
}

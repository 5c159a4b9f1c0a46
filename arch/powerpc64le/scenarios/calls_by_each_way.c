/* SPDX-License-Identifier: Apache-2.0 */
/* arch/powerpc64le/scenarios/calls_by_each_way.c
 * Threads that wait in calls made by `sc`, which says failure by a bit, and by `scv`, which says it by
 * a negative number. They wait on, with all six arguments, and a handler ends some of them.
 */
#include "scenario.h"
#include <linux/futex.h>
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/epoll.h>

enum { futex, epoll, pausing, calls };
static const long numbers[calls] = { SYS_futex, SYS_epoll_wait, SYS_pause };

static int words[2], set, ends[2], ids[2][calls];
static volatile int handled;

/* The kernel's -errno in either way. */
static long call_by_sc(long number, long a, long b, long c, long d, long e, long f)
{
	register long r0 asm("r0") = number;
	register long r3 asm("r3") = a;
	register long r4 asm("r4") = b;
	register long r5 asm("r5") = c;
	register long r6 asm("r6") = d;
	register long r7 asm("r7") = e;
	register long r8 asm("r8") = f;

	asm volatile("sc\n\tbns+ 1f\n\tneg 3, 3\n1:"
		     : "+r"(r0), "+r"(r3), "+r"(r4), "+r"(r5), "+r"(r6), "+r"(r7), "+r"(r8)
		     :
		     : "memory", "cr0", "ctr", "r9", "r10", "r11", "r12");
	return r3;
}

static long call_by_scv(long number, long a, long b, long c, long d, long e, long f)
{
	register long r0 asm("r0") = number;
	register long r3 asm("r3") = a;
	register long r4 asm("r4") = b;
	register long r5 asm("r5") = c;
	register long r6 asm("r6") = d;
	register long r7 asm("r7") = e;
	register long r8 asm("r8") = f;

	/* scv 0, which older assemblers do not know. */
	asm volatile(".long 0x44000001"
		     : "+r"(r0), "+r"(r3), "+r"(r4), "+r"(r5), "+r"(r6), "+r"(r7), "+r"(r8)
		     :
		     : "memory", "cr0", "cr1", "cr5", "cr6", "cr7", "xer", "lr", "ctr", "r9", "r10",
		       "r11", "r12");
	return r3;
}

static long make(int way, long number, long a, long b, long c, long d, long e, long f)
{
	return (way ? call_by_scv : call_by_sc)(number, a, b, c, d, e, f);
}

static void *waiter(void *place)
{
	int place_of_it = (int *)place - ids[0], way = place_of_it / calls, call = place_of_it % calls;
	struct epoll_event event;

	__atomic_store_n(&ids[way][call], gettid(), __ATOMIC_SEQ_CST);
	switch (call) {
	case futex:
		/* For no bit but this: the sixth argument. */
		check(make(way, SYS_futex, (long)&words[way], FUTEX_WAIT_BITSET, 0, 0, 0, 4) == 0);
		break;
	case epoll:
		check(make(way, SYS_epoll_wait, set, (long)&event, 1, -1, 0, 0) == 1);
		break;
	case pausing:
		check(make(way, SYS_pause, 0, 0, 0, 0, 0, 0) == -EINTR);
		break;
	}
	return NULL;
}

static void handle(int signal)
{
	(void)signal;
	handled++;
}

int main(void)
{
	pthread_t threads[2][calls];
	struct epoll_event event = { .events = EPOLLIN };

	if (!(getauxval(AT_HWCAP2) & 0x00100000))
		cannot_run_here("this processor has no scv");
	check(signal(SIGUSR1, handle) != SIG_ERR);
	set = epoll_create1(0);
	check(set >= 0 && pipe(ends) == 0);
	check(epoll_ctl(set, EPOLL_CTL_ADD, ends[0], &event) == 0);
	for (int way = 0; way < 2; way++)
		for (int call = 0; call < calls; call++) {
			int *id = &ids[way][call];

			check(pthread_create(&threads[way][call], NULL, waiter, id) == 0);
			while (!__atomic_load_n(id, __ATOMIC_SEQ_CST))
				pause_briefly();
			await_blocked_in(*id, numbers[call]);
		}
	checkpoint_here();
	for (int way = 0; way < 2; way++) {
		for (int call = 0; call < calls; call++)
			await_blocked_in(ids[way][call], numbers[call]);
		/* Bits that it does not wait for do not wake it. */
		check(syscall(SYS_futex, &words[way], FUTEX_WAKE_BITSET, 1, NULL, NULL, 8) == 0);
		check(syscall(SYS_futex, &words[way], FUTEX_WAKE_BITSET, 1, NULL, NULL, 4) == 1);
		check(pthread_join(threads[way][futex], NULL) == 0);
		check(pthread_kill(threads[way][pausing], SIGUSR1) == 0);
		check(pthread_join(threads[way][pausing], NULL) == 0);
		check(handled == way + 1);
	}
	check(write(ends[1], "x", 1) == 1);
	for (int way = 0; way < 2; way++)
		check(pthread_join(threads[way][epoll], NULL) == 0);
	return passed();
}

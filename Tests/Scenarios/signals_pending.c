/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/signals_pending.c
 * Sent to the process or to one thread, blocked, and still to come: with who sent them and how.
 */
#include "scenario.h"
#include <pthread.h>

static const struct timespec at_once;

static void *thread(void *unused)
{
	sigset_t set;
	siginfo_t info;

	check(pthread_kill(pthread_self(), SIGUSR2) == 0);
	tell("thread");
	wait_for_go(0);
	check(sigpending(&set) == 0 && sigismember(&set, SIGUSR2));
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	/* The C library would show it as SI_USER. */
	check(syscall(SYS_rt_sigtimedwait, &set, &info, &at_once, 8) == SIGUSR2);
	check(info.si_code == SI_TKILL && info.si_pid == getpid());
	return unused;
}

int main(void)
{
	pthread_t other;
	siginfo_t info;
	sigset_t set;

	sigfillset(&set);
	check(sigprocmask(SIG_SETMASK, &set, NULL) == 0);
	check(pthread_create(&other, NULL, thread, NULL) == 0);
	await("thread");
	check(kill(getpid(), SIGUSR1) == 0);
	check(kill(getpid(), SIGTERM) == 0);
	checkpoint_here();
	check(sigpending(&set) == 0);
	check(sigismember(&set, SIGUSR1) && sigismember(&set, SIGTERM));
	/* That one is the other thread's. */
	check(!sigismember(&set, SIGUSR2));
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	check(sigtimedwait(&set, &info, &at_once) == SIGUSR1);
	check(info.si_code == SI_USER && info.si_pid == getpid() && info.si_uid == getuid());
	check(pthread_join(other, NULL) == 0);
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/waits_for_a_signal.c
 * pause, sigsuspend, sigwaitinfo and sigtimedwait hear the signal that is sent after the restart.
 */
#include "scenario.h"

static volatile sig_atomic_t heard;

static void hear(int number)
{
	heard = number;
}

static void in_pause(void)
{
	check(pause() == -1 && errno == EINTR);
	check(heard == SIGUSR1);
}

static void in_sigsuspend(void)
{
	sigset_t none, mine, after;

	sigemptyset(&none);
	sigemptyset(&mine);
	sigaddset(&mine, SIGUSR1);
	sigaddset(&mine, SIGHUP);
	check(sigprocmask(SIG_SETMASK, &mine, NULL) == 0);
	check(sigsuspend(&none) == -1 && errno == EINTR);
	check(heard == SIGUSR1);
	/* The mask of before the call is back. */
	check(sigprocmask(SIG_SETMASK, NULL, &after) == 0);
	check(sigismember(&after, SIGUSR1) && sigismember(&after, SIGHUP));
	check(!sigismember(&after, SIGTERM));
}

static void in_sigtimedwait(const struct timespec *limit)
{
	sigset_t mine;
	siginfo_t info;
	int number;

	sigemptyset(&mine);
	sigaddset(&mine, SIGUSR1);
	check(sigprocmask(SIG_BLOCK, &mine, NULL) == 0);
	/* The kernel never makes this call again: any stop shows. */
	while ((number = sigtimedwait(&mine, &info, limit)) == -1)
		check(errno == EINTR);
	check(number == SIGUSR1 && info.si_pid == getppid() && heard == 0);
}

int main(void)
{
	static const long calls[] = { SYS_pause, SYS_rt_sigsuspend, SYS_rt_sigtimedwait,
				      SYS_rt_sigtimedwait };
	struct sigaction action = { .sa_handler = hear };
	struct timespec limit = { .tv_sec = 100 };
	pid_t children[4];

	check(sigaction(SIGUSR1, &action, NULL) == 0);
	for (int i = 0; i < 4; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			if (i == 0)
				in_pause();
			else if (i == 1)
				in_sigsuspend();
			else
				in_sigtimedwait(i == 2 ? NULL : &limit);
			_exit(i);
		}
		await_blocked_in(children[i], calls[i]);
	}
	checkpoint_here();
	for (int i = 0; i < 4; i++) {
		/* Only when it is back in its call, or sigtimedwait would find heard set. */
		await_blocked_in(children[i], calls[i]);
		check(kill(children[i], SIGUSR1) == 0);
		check_exits_with(children[i], i);
	}
	return passed();
}

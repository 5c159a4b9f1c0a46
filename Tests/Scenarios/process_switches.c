/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/process_switches.c
 * Small things prctl(2) keeps for a process or thread: each must be found again.
 */
#include "scenario.h"
#include <pthread.h>

static void *thread(void *unused)
{
	check(prctl(PR_SET_TIMERSLACK, 123456) == 0);
	check(prctl(PR_SET_PDEATHSIG, SIGHUP) == 0);
	tell("thread");
	wait_for_go(0);
	int signal_at_death = 0;

	check(prctl(PR_GET_TIMERSLACK) == 123456);
	check(prctl(PR_GET_PDEATHSIG, &signal_at_death) == 0 && signal_at_death == SIGHUP);
	check(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0);
	return unused;
}

int main(void)
{
	int signal_at_death = 0, adopts = 0;
	pthread_t other;

	check(pthread_create(&other, NULL, thread, NULL) == 0);
	await("thread");
	check(prctl(PR_SET_DUMPABLE, 0) == 0 && prctl(PR_SET_DUMPABLE, 1) == 0);
	check(prctl(PR_SET_TIMERSLACK, 70000) == 0);
	check(prctl(PR_SET_PDEATHSIG, SIGUSR2) == 0);
	check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	check(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	check(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) == 0);
	checkpoint_here();
	check(prctl(PR_GET_DUMPABLE) == 1);
	check(prctl(PR_GET_TIMERSLACK) == 70000);
	check(prctl(PR_GET_PDEATHSIG, &signal_at_death) == 0 && signal_at_death == SIGUSR2);
	check(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	check(prctl(PR_GET_CHILD_SUBREAPER, &adopts) == 0 && adopts == 1);
	check(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) == 1);
	check(pthread_join(other, NULL) == 0);
	return passed();
}

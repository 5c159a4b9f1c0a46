/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/real_time_signals_queued.c
 * Queued many times each, with a value; they come in order, lowest number first.
 */
#include "scenario.h"

enum { each = 20 };

int main(void)
{
	struct timespec at_once = { 0 };
	sigset_t set;
	siginfo_t info;

	sigemptyset(&set);
	for (int k = 0; k < 3; k++)
		sigaddset(&set, SIGRTMIN + k);
	check(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	for (int i = 0; i < each; i++)
		for (int k = 2; k >= 0; k--)
			check(sigqueue(getpid(), SIGRTMIN + k,
				       (union sigval){ .sival_ptr = (void *)(uintptr_t)(0x1234500000000 + i) }) ==
			      0);
	checkpoint_here();
	for (int k = 0; k < 3; k++)
		for (int i = 0; i < each; i++) {
			check(sigtimedwait(&set, &info, &at_once) == SIGRTMIN + k);
			check(info.si_code == SI_QUEUE && info.si_pid == getpid());
			check(info.si_value.sival_ptr == (void *)(uintptr_t)(0x1234500000000 + i));
		}
	check(sigtimedwait(&set, &info, &at_once) == -1 && errno == EAGAIN);
	return passed();
}

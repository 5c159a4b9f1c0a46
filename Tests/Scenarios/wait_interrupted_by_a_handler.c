/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/wait_interrupted_by_a_handler.c
 * Calls that a handler interrupts afterwards behave by SA_RESTART, as if never frozen.
 */
#include "scenario.h"

static volatile sig_atomic_t heard;

static void hear(int number)
{
	heard = number;
}

int main(void)
{
	struct sigaction restarting = { .sa_handler = hear, .sa_flags = SA_RESTART };
	struct sigaction interrupting = { .sa_handler = hear };
	pid_t children[2];
	int ends[2];

	check(pipe(ends) == 0);
	for (int i = 0; i < 2; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			ssize_t count;
			char byte;

			check(sigaction(SIGUSR1, i ? &interrupting : &restarting, NULL) == 0);
			count = read(ends[0], &byte, 1);
			check(heard == SIGUSR1);
			check(i ? count == -1 && errno == EINTR : count == 1);
			_exit(0);
		}
		await_blocked_in(children[i], SYS_read);
	}
	checkpoint_here();
	for (int i = 1; i >= 0; i--) {
		await_blocked_in(children[i], SYS_read);
		check(kill(children[i], SIGUSR1) == 0);
		if (i == 0) {
			pause_briefly();
			check(write(ends[1], "x", 1) == 1);
		}
		check_exits_with(children[i], 0);
	}
	return passed();
}

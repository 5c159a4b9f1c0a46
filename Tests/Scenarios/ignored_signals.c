/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/ignored_signals.c
 * Ignored signals do nothing; a signal that is ignored and blocked is not kept.
 */
#include "scenario.h"

int main(void)
{
	int ends[2];

	check(signal(SIGPIPE, SIG_IGN) != SIG_ERR && signal(SIGTRAP, SIG_IGN) != SIG_ERR);
	check(signal(SIGTERM, SIG_IGN) != SIG_ERR && signal(SIGALRM, SIG_IGN) != SIG_ERR);
	check(pipe(ends) == 0 && close(ends[0]) == 0);
	checkpoint_here();
	check(raise(SIGTERM) == 0 && raise(SIGALRM) == 0 && raise(SIGTRAP) == 0);
	check(write(ends[1], "x", 1) == -1 && errno == EPIPE);
	check(signal(SIGTRAP, SIG_DFL) == SIG_IGN);
	return passed();
}

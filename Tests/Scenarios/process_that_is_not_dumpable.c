/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/process_that_is_not_dumpable.c
 * A program that has closed itself to tracing by its equals; root may still carry it.
 * runner: root
 */
#include "scenario.h"

int main(void)
{
	check(prctl(PR_SET_DUMPABLE, 0) == 0);
	checkpoint_here();
	check(prctl(PR_GET_DUMPABLE) == 0);
	return passed();
}

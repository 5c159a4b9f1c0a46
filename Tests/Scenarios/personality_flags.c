/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/personality_flags.c
 * The execution domain, here without address randomisation and with READ_IMPLIES_EXEC's neighbour.
 */
#include "scenario.h"
#include <sys/personality.h>

int main(void)
{
	int wanted = ADDR_NO_RANDOMIZE | STICKY_TIMEOUTS;

	check(personality(wanted) >= 0);
	checkpoint_here();
	check(personality(0xffffffff) == wanted);
	return passed();
}

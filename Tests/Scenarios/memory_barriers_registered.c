/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/memory_barriers_registered.c
 * membarrier(2) serves those who have registered only, which libraries do once: to be refused later would
 * be a surprise, or a race.
 */
#include "scenario.h"
#include <linux/membarrier.h>

static bool serves(int command)
{
	return syscall(SYS_membarrier, command, 0, 0) == 0;
}

int main(void)
{
	int offered = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
	bool has_core = offered > 0 && (offered & MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE);

	if (offered < 0 || !(offered & MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED))
		cannot_run_here("this kernel has no expedited barriers");
	check(!serves(MEMBARRIER_CMD_PRIVATE_EXPEDITED));
	check(serves(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED));
	if (has_core)
		check(serves(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE));
	checkpoint_here();
	check(serves(MEMBARRIER_CMD_PRIVATE_EXPEDITED));
	check(serves(MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE) == has_core);
	/* And nothing that it had not asked for. */
	check(!serves(MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ));
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0
 * libcr_run: a process that has it loaded can be checkpointed as it is. It calls nothing back.
 */
#include "block.h"

CR_PUBLIC int cr_run_link_me;

CR_DEFINE_BLOCK(CR_KIND_RUN, "2");

/* CR_SIGNUM must not end a process that never asked for it. */
static void ignore(int number, siginfo_t *info, void *context)
{
	(void)number, (void)info, (void)context;
}

__attribute__((__constructor__)) static void load(void)
{
	cri_load_library(CR_KIND_RUN, CRI_YIELDS, ignore);
}

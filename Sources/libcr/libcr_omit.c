/* SPDX-License-Identifier: Apache-2.0
 * libcr_omit: a process that has it loaded, and what it starts, is left out of every checkpoint.
 */
#include "block.h"

CR_PUBLIC int cr_omit_link_me;

CR_DEFINE_BLOCK(CR_KIND_OMIT, "3");

static void ignore(int number, siginfo_t *info, void *context)
{
	(void)number, (void)info, (void)context;
}

__attribute__((__constructor__)) static void load(void)
{
	cri_load_library(CR_KIND_OMIT, CRI_YIELDS, ignore);
}

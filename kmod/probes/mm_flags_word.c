/* SPDX-License-Identifier: GPL-2.0-only */
/* Question: is "dumpable" in a word of flags (before 6.18)? */
#include "probe.h"
#include <linux/sched/coredump.h>
#include <linux/mm_types.h>

int probe(struct mm_struct *mm);
int probe(struct mm_struct *mm)
{
	return mm->flags & MMF_DUMPABLE_MASK;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* Question: is there a function that tells whether memory is dumpable? */
#include "probe.h"
#include <linux/sched/coredump.h>
#include <linux/mm_types.h>

int probe(struct mm_struct *mm);
int probe(struct mm_struct *mm)
{
	return get_dumpable(mm);
}

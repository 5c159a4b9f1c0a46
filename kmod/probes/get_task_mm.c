/* SPDX-License-Identifier: GPL-2.0-only */
/* Question: can the memory of another task be held? */
/* Needed: yes */
#include "probe.h"
#include <linux/sched/mm.h>

int probe(struct task_struct *task);
int probe(struct task_struct *task)
{
	struct mm_struct *mm = get_task_mm(task);

	if (!mm)
		return -ESRCH;
	mmput(mm);
	return 0;
}

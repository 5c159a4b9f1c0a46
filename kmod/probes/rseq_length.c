/* SPDX-License-Identifier: GPL-2.0-only */
/* Question: does a task know how long its area for restartable sequences is (6.3)? */
#include "probe.h"
#include <linux/sched.h>

u32 probe(struct task_struct *task);
u32 probe(struct task_struct *task)
{
	return task->rseq_len;
}

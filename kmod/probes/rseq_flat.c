/* SPDX-License-Identifier: GPL-2.0-only */
/* Question: are restartable sequences fields of the task (4.18)? */
#include "probe.h"
#include <linux/sched.h>

void *probe(struct task_struct *task);
void *probe(struct task_struct *task)
{
	return task->rseq_sig ? (void *)task->rseq : NULL;
}

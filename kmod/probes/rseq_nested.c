/* SPDX-License-Identifier: GPL-2.0-only */
/* Question: are restartable sequences a structure in the task (6.19)? */
#include "probe.h"
#include <linux/sched.h>

u32 probe(struct task_struct *task);
u32 probe(struct task_struct *task)
{
	return task->rseq.usrptr ? task->rseq.sig : 0;
}

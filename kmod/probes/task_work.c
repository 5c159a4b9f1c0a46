/* SPDX-License-Identifier: GPL-2.0-only */
/* Question: can a task be given work to do on its way to user mode (TWA_SIGNAL, 5.10)? */
/* Needed: yes */
#include "probe.h"
#include <linux/sched.h>
#include <linux/task_work.h>

int probe(struct task_struct *task, struct callback_head *work);
int probe(struct task_struct *task, struct callback_head *work)
{
	return task_work_add(task, work, TWA_SIGNAL);
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* Question: is ptrace_may_access() exported? */
#include "probe.h"
#include <linux/ptrace.h>
#include <linux/sched.h>

bool probe(struct task_struct *task);
bool probe(struct task_struct *task)
{
	return ptrace_may_access(task, PTRACE_MODE_ATTACH_REALCREDS);
}

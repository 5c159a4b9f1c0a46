/* SPDX-License-Identifier: GPL-2.0-only */
/* Question: is has_capability() exported? */
#include "probe.h"
#include <linux/capability.h>
#include <linux/sched.h>

bool probe(struct task_struct *task);
bool probe(struct task_struct *task)
{
	return has_capability(task, CAP_SYS_PTRACE);
}

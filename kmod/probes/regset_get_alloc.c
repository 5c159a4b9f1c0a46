/* SPDX-License-Identifier: GPL-2.0-only */
/* Question: can the registers of a task be read in its own view (5.8)? */
/* Needed: yes */
#include "probe.h"
#include <linux/sched.h>
#include <linux/regset.h>

int probe(struct task_struct *task, void **data);
int probe(struct task_struct *task, void **data)
{
	const struct user_regset_view *view = task_user_regset_view(task);
	const struct user_regset *set = &view->regsets[0];

	return regset_get_alloc(task, set, set->n * set->size, data);
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* Question: can the next process id of a namespace be chosen (4.15)? */
/* Needed: yes */
#include "probe.h"
#include <linux/idr.h>
#include <linux/sched.h>
#include <linux/pid_namespace.h>

void probe(unsigned int pid);
void probe(unsigned int pid)
{
	idr_set_cursor(&task_active_pid_ns(current)->idr, pid);
}

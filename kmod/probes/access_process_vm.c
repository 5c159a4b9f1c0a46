/* SPDX-License-Identifier: GPL-2.0-only */
/* Question: can the memory of another task be read and written? */
/* Needed: yes */
#include "probe.h"
#include <linux/mm.h>

int probe(struct task_struct *task, unsigned long address, void *data, int size);
int probe(struct task_struct *task, unsigned long address, void *data, int size)
{
	return access_process_vm(task, address, data, size, FOLL_FORCE | FOLL_WRITE);
}

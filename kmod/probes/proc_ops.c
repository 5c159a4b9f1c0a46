/* SPDX-License-Identifier: GPL-2.0-only */
/* Question: has /proc a table of operations of its own (5.6)? */
/* Needed: yes */
#include "probe.h"
#include <linux/proc_fs.h>

struct proc_dir_entry *probe(const struct proc_ops *operations);
struct proc_dir_entry *probe(const struct proc_ops *operations)
{
	return proc_create("probe", 0666, NULL, operations);
}

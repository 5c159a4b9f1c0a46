// SPDX-License-Identifier: GPL-2.0-only
/* Stands for the module where the build itself is under test: it has all that modinfo shows, and a version in /proc. */
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>

#include "blcr_config.h"

static int show(struct seq_file *file, void *unused)
{
	seq_puts(file, CR_MODULE_VERSION "\n");
	return 0;
}

static int __init start(void)
{
	if (!proc_create_single("checkpoint-hello", 0444, NULL, show))
		return -ENOMEM;
	pr_info("blcr: version %s\n", CR_MODULE_VERSION);
	return 0;
}

static void __exit end(void)
{
	remove_proc_entry("checkpoint-hello", NULL);
}

module_init(start);
module_exit(end);
MODULE_LICENSE("GPL v2");
MODULE_DESCRIPTION("stands for the checkpoint module in tests of its build");
MODULE_VERSION(CR_MODULE_VERSION);

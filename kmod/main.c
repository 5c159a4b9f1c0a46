// SPDX-License-Identifier: GPL-2.0-only
/* The beginning and the end of the module. */
#include <linux/module.h>
#include <linux/rcupdate.h>

#include "blcr.h"

static struct proc_dir_entry *folder;

static int __init cr_begin(void)
{
	int error = cr_births_watch();

	if (error)
		return error;
	folder = proc_mkdir("checkpoint", NULL);
	if (!folder || !proc_create("ctrl", 0666, folder, &cr_control_operations)) {
		if (folder)
			remove_proc_subtree("checkpoint", NULL);
		cr_births_ignore();
		return -ENOMEM;
	}
	pr_info("blcr: version %s, interface %d\n", CR_MODULE_VERSION, CR_UAPI_VERSION);
	return 0;
}

static void __exit cr_end(void)
{
	remove_proc_subtree("checkpoint", NULL);
	cr_births_ignore();
	/* A thread gives back the last reference from code of ours: it has to have left it (cr_thread_put). */
	synchronize_rcu_tasks();
	rcu_barrier();
}

module_init(cr_begin);
module_exit(cr_end);
MODULE_LICENSE("GPL v2");
MODULE_DESCRIPTION("checkpoint and restart of processes");
MODULE_VERSION(CR_MODULE_VERSION);

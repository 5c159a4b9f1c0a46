// SPDX-License-Identifier: GPL-2.0-only
/* What the kernel asks of a tracer (ptrace(2), "Ptrace access mode checking"), whose own check modules cannot call. */
#include <linux/cred.h>
#include <linux/module.h>
#include <linux/nsproxy.h>
#include <linux/pid_namespace.h>
#include <linux/sched/mm.h>

#include "blcr.h"
#include "task.h"

enum { PIDS_OFF, PIDS_OWN, PIDS_ON };
static int pids = PIDS_OWN;
module_param(pids, int, 0644);
MODULE_PARM_DESC(pids, "who without privilege may have processes with ids of their choice: 0 nobody, 1 users for their own processes (default), 2 everybody");

static bool is_same_user(const struct cred *own, const struct cred *theirs)
{
	return uid_eq(own->uid, theirs->uid) && uid_eq(own->uid, theirs->euid) && uid_eq(own->uid, theirs->suid)
		&& gid_eq(own->gid, theirs->gid) && gid_eq(own->gid, theirs->egid) && gid_eq(own->gid, theirs->sgid);
}

int cr_may_hold(struct task_struct *task)
{
	const struct cred *own = current_cred(), *theirs;
	struct user_namespace *outer;
	struct mm_struct *mm;
	bool may;

	if (task->flags & CR_PF_KERNEL)
		return -EPERM;
	mm = get_task_mm(task);
	if (!mm)
		return -ESRCH;
	theirs = get_task_cred(task);
	outer = theirs->user_ns;
	may = is_same_user(own, theirs) && own->user_ns == outer
		&& cap_issubset(theirs->cap_permitted, own->cap_permitted) && cr_is_dumpable(mm);
	if (!may)
		may = ns_capable(outer, CAP_SYS_PTRACE) && (cr_is_dumpable(mm) || ns_capable(mm->user_ns, CAP_SYS_PTRACE));
	put_cred(theirs);
	mmput(mm);
	return may ? 0 : -EPERM;
}

/* Whether the caller may say which id the next child of a task gets. */
int cr_may_choose(struct task_struct *parent)
{
	struct user_namespace *outer = task_active_pid_ns(current)->user_ns;
	int setting = READ_ONCE(pids);
	const struct cred *theirs;
	bool own;

	if (ns_capable(outer, CAP_SYS_ADMIN))
		return 0;
#ifdef CAP_CHECKPOINT_RESTORE
	if (ns_capable(outer, CAP_CHECKPOINT_RESTORE))
		return 0;
#endif
	if (setting == PIDS_ON)
		return 0;
	theirs = get_task_cred(parent);
	own = is_same_user(current_cred(), theirs);
	put_cred(theirs);
	return setting == PIDS_OWN && own ? 0 : -EPERM;
}

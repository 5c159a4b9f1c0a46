// SPDX-License-Identifier: GPL-2.0-only
/* Processes and threads go on: all that were held, or some threads for a while. */
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "blcr.h"

long cr_release_all(struct cr_session *session, struct cr_release *request)
{
	__s32 __user *place = u64_to_user_ptr(request->pids);
	struct cr_process *process;
	unsigned int index;
	int round;
	__s32 pid;

	if (request->count > 1 << 16)
		return -EINVAL;
	/* First everything is taken out of all, then all go. */
	for (round = 0; round < 2; round++) {
		for (index = 0; index < request->count; index++) {
			if (get_user(pid, &place[index]))
				return -EFAULT;
			process = cr_process_find(session, pid);
			if (IS_ERR(process))
				continue;
			if (round == 0 && process->scratch.mm)
				cr_process_order(process, CR_UNMAP, 0);
			if (round == 1) {
				process->is_new = false;
				cr_process_drop(process);
			}
			cr_process_put(process);
		}
	}
	return 0;
}

static bool is_among(const __s32 *ids, unsigned int count, __s32 id)
{
	while (count--)
		if (ids[count] == id)
			return true;
	return false;
}

long cr_run(struct cr_session *session, struct cr_run *request)
{
	struct cr_process *process = cr_process_find(session, request->pid);
	struct cr_thread *thread;
	__s32 *ids;
	long error = 0;

	if (IS_ERR(process))
		return PTR_ERR(process);
	ids = request->count > 1 << 16 ? ERR_PTR(-EINVAL)
		: memdup_user(u64_to_user_ptr(request->standing), request->count * sizeof(*ids));
	if (request->count && IS_ERR(ids)) {
		cr_process_put(process);
		return PTR_ERR(ids);
	}
	if (process->scratch.mm)
		cr_process_order(process, CR_UNMAP, 0);
	spin_lock(&cr_lock);
	list_for_each_entry(thread, &process->threads, in_process) {
		if (cr_thread_stands(thread) && !is_among(ids, request->count, task_pid_vnr(thread->task))) {
			thread->has_called = thread->is_told = false;
			cr_thread_order(thread, CR_GO_RUN);
		}
	}
	spin_unlock(&cr_lock);
	if (!IS_ERR_OR_NULL(ids))
		kfree(ids);
	cr_process_put(process);
	return error;
}

/* Its file is closed. */
void cr_session_end(struct cr_session *session)
{
	struct cr_process *process;

	spin_lock(&cr_lock);
	session->ended = true;
	spin_unlock(&cr_lock);
	for (;;) {
		spin_lock(&cr_lock);
		process = list_first_entry_or_null(&session->processes, struct cr_process, in_session);
		if (process)
			kref_get(&process->references);
		spin_unlock(&cr_lock);
		if (!process)
			break;
		if (process->is_new)
			send_sig(SIGKILL, process->leader, 1);
		cr_process_drop(process);
		cr_process_put(process);
	}
}

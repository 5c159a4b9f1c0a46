// SPDX-License-Identifier: GPL-2.0-only
/* All threads of a process are brought to a stand. */
#include <linux/ktime.h>
#include <linux/sched/jobctl.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "blcr.h"
#include "task.h"

/* Threads that were not seen yet, or run; how many, or an error. */
#define ROUND 32
static int enlist(struct cr_session *session, struct cr_process *process)
{
	struct task_struct *found[ROUND], *task;
	struct cr_thread *thread;
	int count = 0, asked = 0, index, error = 0;

	rcu_read_lock();
	for_each_thread(process->leader, task) {
		if (task->flags & (PF_EXITING | CR_PF_KERNEL))
			continue;
		spin_lock(&cr_lock);
		thread = cr_thread_of(task);
		if (!thread && count < ROUND) {
			get_task_struct(task);
			found[count++] = task;
		} else if (thread && thread->process->session != session) {
			error = -EBUSY;
		} else if (thread && thread->state == CR_RUNNING) {
			thread->state = CR_COMING;
			thread->is_told = false;
			thread->has_called = false;
			if (!cr_thread_ask(thread))
				asked++;
		}
		spin_unlock(&cr_lock);
		if (error || count == ROUND)
			break;
	}
	rcu_read_unlock();
	for (index = 0; index < count; index++) {
		thread = error ? NULL : cr_thread_make(found[index], GFP_KERNEL);
		if (!thread) {
			error = error ?: -ENOMEM;
			put_task_struct(found[index]);
			continue;
		}
		spin_lock(&cr_lock);
		if (cr_thread_of(found[index])) {
			error = -EBUSY;
		} else {
			cr_thread_enter(thread, process, CR_COMING);
			refcount_inc(&thread->references);
			if (cr_thread_ask(thread)) {
				cr_thread_leave(thread);
				thread->state = CR_LEFT;
				thread->has_ended = thread->is_told = true;
			} else {
				asked++;
			}
		}
		spin_unlock(&cr_lock);
		cr_thread_put(thread);
		put_task_struct(found[index]);
	}
	return error ?: asked;
}

static bool all_stand(struct cr_process *process)
{
	struct cr_thread *thread;
	bool stand = true;

	spin_lock(&cr_lock);
	list_for_each_entry(thread, &process->threads, in_process)
		stand = stand && (thread->state == CR_LEFT || cr_thread_stands(thread));
	spin_unlock(&cr_lock);
	return stand;
}

/*
 * A thread in a job-control stop sleeps where only SIGCONT wakes it, but it looks for work when it is woken. One
 * that its tracer has stopped is left alone.
 */
static void nudge(struct cr_process *process, struct cr_hold *request)
{
	struct wait_queue_entry waker = {};
	struct cr_thread *thread;

	request->culprit = 0;
	spin_lock(&cr_lock);
	list_for_each_entry(thread, &process->threads, in_process) {
		struct task_struct *task = thread->task;

		if (thread->state != CR_COMING)
			continue;
		request->culprit = task_pid_vnr(task);
		request->reason = CR_CULPRIT_BUSY;
		if (task_is_traced(task)) {
			request->reason = CR_CULPRIT_TRACED;
		} else if (task_is_stopped(task)) {
			int signal = task->jobctl & JOBCTL_STOP_SIGMASK;

			process->stop_signal = signal ?: SIGSTOP;
			/* wake_up_process() wakes no one who is stopped. */
			waker.private = task;
			default_wake_function(&waker, __TASK_STOPPED, 0, NULL);
		}
	}
	spin_unlock(&cr_lock);
}

static long await_all(struct cr_session *session, struct cr_process *process, struct cr_hold *request)
{
	for (;;) {
		long left = wait_event_interruptible_timeout(session->news, all_stand(process), HZ / 100 ?: 1);

		if (left > 0)
			return 0;
		if (left < 0)
			return -EINTR;
		cr_process_notice(process);
		nudge(process, request);
		if (request->deadline != ~0ull && ktime_get_ns() >= request->deadline)
			return -ETIMEDOUT;
	}
}

static struct task_struct *leader_of(int pid)
{
	struct task_struct *leader;

	rcu_read_lock();
	leader = pid_task(find_vpid(pid), PIDTYPE_TGID);
	if (leader)
		get_task_struct(leader);
	rcu_read_unlock();
	return leader;
}

static struct cr_process *process_enter(struct cr_session *session, struct task_struct *leader)
{
	struct cr_process *process = cr_process_make(leader, GFP_KERNEL), *known;

	if (!process)
		return NULL;
	kref_get(&session->references);
	process->session = session;
	spin_lock(&cr_lock);
	known = cr_process_of(session, leader);
	if (!known) {
		list_add_tail(&process->in_session, &session->processes);
		process->is_listed = true;
		known = process;
	}
	kref_get(&known->references);
	spin_unlock(&cr_lock);
	if (known != process)
		cr_process_put(process);
	return known;
}

long cr_hold(struct cr_session *session, struct cr_hold *request)
{
	struct task_struct *leader = leader_of(request->pid);
	struct cr_process *process;
	long error;

	if (!leader)
		return -ESRCH;
	if (same_thread_group(leader, current) || (request->flags & ~CR_HOLD_NEW)) {
		put_task_struct(leader);
		return -EINVAL;
	}
	error = cr_may_hold(leader);
	process = error ? NULL : process_enter(session, leader);
	put_task_struct(leader);
	if (!process)
		return error ?: -ENOMEM;
	if (request->flags & CR_HOLD_NEW)
		process->is_new = true;
	process->stop_signal = 0;
	/* New threads appear until their makers stand, so they are looked for after the last stop once more. */
	for (;;) {
		error = enlist(session, process);
		if (error < 0 || (!error && all_stand(process)))
			break;
		nudge(process, request);
		error = await_all(session, process, request);
		if (error)
			break;
	}
	/* An exec of a program with privilege may have come between. */
	if (!error)
		error = cr_may_hold(process->leader);
	if (!error && !READ_ONCE(process->present))
		error = -ESRCH;
	if (error)
		cr_process_drop(process);
	else
		request->culprit = request->reason = 0;
	cr_process_put(process);
	return error;
}

long cr_list(struct cr_session *session, struct cr_threads *request)
{
	struct cr_process *process = cr_process_find(session, request->pid);
	__s32 __user *place = u64_to_user_ptr(request->ids);
	struct cr_thread *thread;
	unsigned int count = 0, room;
	__s32 *ids;
	long error = 0;

	if (IS_ERR(process))
		return PTR_ERR(process);
	room = min_t(unsigned int, request->capacity, 1 << 16);
	ids = kvmalloc_array(room ?: 1, sizeof(*ids), GFP_KERNEL);
	if (!ids) {
		cr_process_put(process);
		return -ENOMEM;
	}
	cr_process_notice(process);
	spin_lock(&cr_lock);
	list_for_each_entry(thread, &process->threads, in_process) {
		if (thread->state == CR_LEFT)
			continue;
		if (count < room)
			ids[count] = task_pid_vnr(thread->task);
		/* The leader is the first. */
		if (count && count < room && thread_group_leader(thread->task))
			swap(ids[0], ids[count]);
		count++;
	}
	request->stop_signal = process->stop_signal;
	spin_unlock(&cr_lock);
	request->count = count;
	if (copy_to_user(place, ids, min(room, count) * sizeof(*ids)))
		error = -EFAULT;
	kvfree(ids);
	cr_process_put(process);
	return error;
}

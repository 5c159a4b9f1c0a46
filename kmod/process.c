// SPDX-License-Identifier: GPL-2.0-only
/* Processes of a session: which there are, what they do by order, and how they are let go. */
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "blcr.h"
#include "task.h"

struct cr_process *cr_process_make(struct task_struct *leader, gfp_t flags)
{
	struct cr_process *process = kzalloc(sizeof(*process), flags);

	if (!process)
		return NULL;
	kref_init(&process->references);
	INIT_LIST_HEAD(&process->threads);
	INIT_LIST_HEAD(&process->in_session);
	get_task_struct(leader);
	process->leader = leader;
	process->id = get_task_pid(leader, PIDTYPE_TGID);
	return process;
}

static void process_free(struct kref *references)
{
	struct cr_process *process = container_of(references, struct cr_process, references);

	put_pid(process->id);
	put_task_struct(process->leader);
	if (process->session)
		cr_session_put(process->session);
	kfree(process);
}

void cr_process_put(struct cr_process *process)
{
	kref_put(&process->references, process_free);
}

/* Under cr_lock. By any of its threads: an exec may have made another one its leader. */
struct cr_process *cr_process_of(struct cr_session *session, struct task_struct *task)
{
	struct cr_process *process;

	list_for_each_entry(process, &session->processes, in_session)
		if (process->leader == task || same_thread_group(process->leader, task))
			return process;
	return NULL;
}

struct cr_process *cr_process_find(struct cr_session *session, int pid)
{
	struct cr_process *process = NULL;
	struct task_struct *task;

	rcu_read_lock();
	task = pid_task(find_vpid(pid), PIDTYPE_TGID);
	spin_lock(&cr_lock);
	if (task)
		process = cr_process_of(session, task);
	if (process)
		kref_get(&process->references);
	spin_unlock(&cr_lock);
	rcu_read_unlock();
	return process ?: ERR_PTR(-ESRCH);
}

/* Under cr_lock: takes threads off the list that were told of, or have left. */
static void forget(struct cr_thread *thread, struct list_head *old)
{
	list_move(&thread->in_process, old);
}

static void put_all(struct list_head *old)
{
	struct cr_thread *thread, *next;

	list_for_each_entry_safe(thread, next, old, in_process) {
		list_del_init(&thread->in_process);
		cr_thread_put(thread);
	}
}

void cr_process_notice(struct cr_process *process)
{
	struct cr_thread *thread;

	spin_lock(&cr_lock);
	list_for_each_entry(thread, &process->threads, in_process)
		cr_thread_notice(thread);
	spin_unlock(&cr_lock);
}

/* Under cr_lock: it goes on, unharmed, or dies if it is ours. */
static void let_go(struct cr_process *process, struct list_head *old)
{
	struct cr_thread *thread, *next;

	list_del_init(&process->in_session);
	process->is_listed = false;
	list_for_each_entry_safe(thread, next, &process->threads, in_process) {
		switch (thread->state) {
		case CR_CALLING:
			/* It stays in the registry until it is back. */
			thread->order = CR_LEAVE;
			refcount_inc(&thread->references);
			if (task_work_add(thread->task, &thread->recall, TWA_SIGNAL))
				refcount_dec(&thread->references);
			break;
		case CR_PARKED:
		case CR_MOVING:
			/* Another request may have it before it has gone on. */
			cr_thread_hide(thread);
			cr_thread_order(thread, CR_LEAVE);
			break;
		default:
			/* If it was asked to stand, it finds that it need not. */
			cr_thread_leave(thread);
			thread->state = CR_LEFT;
		}
		forget(thread, old);
	}
}

void cr_process_drop(struct cr_process *process)
{
	LIST_HEAD(old);
	bool listed;

	spin_lock(&cr_lock);
	listed = process->is_listed;
	if (listed)
		let_go(process, &old);
	spin_unlock(&cr_lock);
	put_all(&old);
	if (listed)
		cr_process_put(process);
}

/* A thread that can follow orders, with a reference; the leader if it can. */
static struct cr_thread *follower(struct cr_process *process)
{
	struct cr_thread *thread, *found = NULL;

	spin_lock(&cr_lock);
	list_for_each_entry(thread, &process->threads, in_process)
		if (cr_thread_stands(thread) && (!found || thread_group_leader(thread->task)))
			found = thread;
	if (found)
		refcount_inc(&found->references);
	spin_unlock(&cr_lock);
	return found;
}

static bool has_followed(struct cr_thread *thread)
{
	bool done;

	spin_lock(&cr_lock);
	done = cr_thread_stands(thread) || thread->state == CR_LEFT;
	spin_unlock(&cr_lock);
	return done;
}

/* Something that is done in the process, by one of its threads. */
int cr_process_order(struct cr_process *process, enum cr_order order, unsigned long address)
{
	struct cr_thread *thread = follower(process);
	int result;

	if (!thread)
		return -ESRCH;
	spin_lock(&cr_lock);
	thread->address = address;
	thread->result = -ESRCH;
	if (cr_thread_stands(thread))
		cr_thread_order(thread, order);
	spin_unlock(&cr_lock);
	if (wait_event_killable(process->session->news, has_followed(thread)))
		result = -EINTR;
	else
		result = thread->result;
	cr_thread_put(thread);
	return result;
}

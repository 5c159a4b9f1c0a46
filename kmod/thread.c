// SPDX-License-Identifier: GPL-2.0-only
/* The registry of threads that stand, or are to stand, for a request. */
#include <linux/delay.h>
#include <linux/hashtable.h>
#include <linux/module.h>
#include <linux/rculist.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "blcr.h"

DEFINE_SPINLOCK(cr_lock);
static DEFINE_HASHTABLE(registry, 10);

struct cr_thread *cr_thread_of(struct task_struct *task)
{
	struct cr_thread *thread;

	hash_for_each_possible(registry, thread, by_task, (unsigned long)task)
		if (thread->task == task)
			return thread;
	return NULL;
}

/*
 * The same without the lock, of the current task, which nobody else takes out while it is on a call: where the
 * kernel calls us (tracepoints) nobody may sleep, and on a realtime kernel a lock sleeps.
 */
struct cr_thread *cr_thread_of_caller(void)
{
	struct cr_thread *thread, *found = NULL;

	rcu_read_lock();
	hash_for_each_possible_rcu(registry, thread, by_task, (unsigned long)current)
		if (thread->task == current)
			found = thread;
	rcu_read_unlock();
	return found && READ_ONCE(found->state) == CR_CALLING ? found : NULL;
}

/* With a reference, if it belongs to the session and has not ended. */
struct cr_thread *cr_thread_find(struct cr_session *session, int tid)
{
	struct task_struct *task;
	struct cr_thread *thread = NULL;

	rcu_read_lock();
	task = pid_task(find_vpid(tid), PIDTYPE_PID);
	spin_lock(&cr_lock);
	if (task)
		thread = cr_thread_of(task);
	if (thread && thread->process->session != session)
		thread = NULL;
	if (thread)
		refcount_inc(&thread->references);
	spin_unlock(&cr_lock);
	rcu_read_unlock();
	return thread;
}

struct cr_thread *cr_thread_make(struct task_struct *task, gfp_t flags)
{
	struct cr_thread *thread = kzalloc(sizeof(*thread), flags);

	if (!thread)
		return NULL;
	__module_get(THIS_MODULE);
	get_task_struct(task);
	thread->task = task;
	thread->id = get_task_pid(task, PIDTYPE_PID);
	refcount_set(&thread->references, 1);
	init_task_work(&thread->park, cr_park);
	init_task_work(&thread->recall, cr_recall);
	init_waitqueue_head(&thread->wait);
	mutex_init(&thread->access);
	return thread;
}

/* The registry has the first reference from now on. */
void cr_thread_enter(struct cr_thread *thread, struct cr_process *process, enum cr_state state)
{
	kref_get(&process->references);
	thread->process = process;
	thread->state = state;
	thread->is_hashed = thread->is_present = true;
	process->present++;
	hash_add_rcu(registry, &thread->by_task, (unsigned long)thread->task);
	list_add_tail(&thread->in_process, &process->threads);
}

void cr_thread_hide(struct cr_thread *thread)
{
	if (thread->is_hashed)
		hash_del_rcu(&thread->by_task);
	thread->is_hashed = false;
}

void cr_thread_leave(struct cr_thread *thread)
{
	cr_thread_hide(thread);
	if (thread->is_present)
		thread->process->present--;
	thread->is_present = false;
}

/* One that runs, or makes a call, and is ending now, does not come to us any more. */
void cr_thread_notice(struct cr_thread *thread)
{
	if (thread->state == CR_LEFT || thread->state == CR_PARKED || thread->state == CR_MOVING || thread->is_queued
	    || !(READ_ONCE(thread->task->flags) & PF_EXITING))
		return;
	cr_thread_leave(thread);
	thread->state = CR_LEFT;
	thread->has_ended = true;
}

/* It is about to exit, and can be asked nothing any more. */
void cr_thread_end(struct cr_thread *thread)
{
	struct cr_session *session = thread->process->session;

	mutex_lock(&thread->access); /* who looks at it shall have finished */
	spin_lock(&cr_lock);
	cr_thread_leave(thread);
	thread->state = CR_LEFT;
	thread->has_ended = true;
	spin_unlock(&cr_lock);
	mutex_unlock(&thread->access);
	wake_up_all(&session->news);
}

void cr_thread_put(struct cr_thread *thread)
{
	if (!refcount_dec_and_test(&thread->references))
		return;
	put_pid(thread->id);
	put_task_struct(thread->task);
	if (thread->process)
		cr_process_put(thread->process);
	kvfree(thread->frames);
	kfree_rcu(thread, rcu);
	/* This may be the last; the end of the module waits until everybody is out of its code. */
	module_put(THIS_MODULE);
}

bool cr_thread_stands(const struct cr_thread *thread)
{
	return thread->state == CR_PARKED && thread->order == CR_STAY;
}

void cr_thread_order(struct cr_thread *thread, enum cr_order order)
{
	thread->order = order;
	wake_up_all(&thread->wait);
}

int cr_thread_ask(struct cr_thread *thread)
{
	int error;

	if (thread->is_queued)
		return 0;
	thread->is_queued = true;
	refcount_inc(&thread->references);
	error = task_work_add(thread->task, &thread->park, TWA_SIGNAL);
	if (error) {
		thread->is_queued = false;
		refcount_dec(&thread->references);
	}
	return error;
}

/*
 * Parked and off its CPU, so that all of its state is in memory. The count of voluntary switches tells a thread
 * that sleeps from one that was preempted on its way to sleep.
 */
static bool is_still(const struct cr_thread *thread)
{
	const struct task_struct *task = thread->task;

	if (READ_ONCE(task->nvcsw) == thread->switches)
		return false;
#ifdef CONFIG_SMP
	if (READ_ONCE(task->on_cpu))
		return false;
#endif
	return true;
}

struct cr_thread *cr_thread_lock(struct cr_session *session, int tid)
{
	struct cr_thread *thread = cr_thread_find(session, tid);
	unsigned int turns = 0;
	bool stands, still;

	if (!thread)
		return ERR_PTR(-ESRCH);
	for (;;) {
		mutex_lock(&thread->access);
		spin_lock(&cr_lock);
		stands = cr_thread_stands(thread) && !thread->process->session->ended;
		still = is_still(thread);
		spin_unlock(&cr_lock);
		if (stands && still)
			return thread;
		mutex_unlock(&thread->access);
		if (!stands || fatal_signal_pending(current)) {
			cr_thread_put(thread);
			return ERR_PTR(stands ? -EINTR : -EBUSY);
		}
		if (++turns < 100)
			cond_resched(), cpu_relax();
		else
			usleep_range(20, 200);
	}
}

void cr_thread_unlock(struct cr_thread *thread)
{
	mutex_unlock(&thread->access);
	cr_thread_put(thread);
}

// SPDX-License-Identifier: GPL-2.0-only
/* Tasks that are held from their birth on, and threads that come by themselves. */
#include <linux/binfmts.h>
#include <linux/idr.h>
#include <linux/module.h>
#include <linux/nsproxy.h>
#include <linux/pid_namespace.h>
#include <linux/tracepoint.h>

#include "blcr.h"

/* The current task's process in a session, made if it is new. Takes no lock that a fault may not. */
static struct cr_process *process_of_current(struct cr_session *session)
{
	struct cr_process *process, *made;

	made = cr_process_make(current->group_leader, GFP_KERNEL);
	if (!made)
		return NULL;
	kref_get(&session->references);
	made->session = session;
	made->is_new = true;
	spin_lock(&cr_lock);
	process = session->ended ? NULL : cr_process_of(session, current);
	if (!process && !session->ended) {
		process = made;
		list_add_tail(&process->in_session, &session->processes);
		process->is_listed = true;
	}
	if (process)
		kref_get(&process->references);
	spin_unlock(&cr_lock);
	if (process != made || !process)
		cr_process_put(made);
	return process;
}

/* Where a parent that makes calls has its scratch memory, its child has it too. */
static void inherit(struct cr_session *session, struct cr_process *process)
{
	struct cr_process *parent;

	if (process->scratch.mm)
		return;
	list_for_each_entry(parent, &session->processes, in_session) {
		if (parent == process || !parent->scratch.mm || !same_thread_group(parent->leader, current->real_parent))
			continue;
		process->scratch = parent->scratch;
		process->scratch.borrowed = parent->scratch.mm == current->mm;
		process->scratch.mm = current->mm;
	}
}

/* Somebody who is in nobody's hands has come to the bell. */
bool cr_birth(struct cr_session *session)
{
	struct cr_process *process, *parent;
	struct cr_thread *thread;
	bool known = false;
	int error = -ESRCH;

	/* Only the calls of new processes make others. */
	rcu_read_lock();
	spin_lock(&cr_lock);
	parent = cr_process_of(session, current);
	if (!parent)
		parent = cr_process_of(session, rcu_dereference(current->real_parent));
	known = parent && parent->is_new && !session->ended;
	spin_unlock(&cr_lock);
	rcu_read_unlock();
	if (!known)
		return false;
	process = process_of_current(session);
	thread = process ? cr_thread_make(current, GFP_KERNEL) : NULL;
	if (thread) {
		spin_lock(&cr_lock);
		if (!session->ended && !cr_thread_of(current)) {
			cr_thread_enter(thread, process, CR_COMING);
			refcount_inc(&thread->references);
			inherit(session, process);
			error = cr_thread_ask(thread);
		}
		spin_unlock(&cr_lock);
		cr_thread_put(thread);
	}
	if (process)
		cr_process_put(process);
	/* Its signals stay blocked, as in the call that made it, until it is told its own mask. */
	return !error;
}

long cr_enroll(struct cr_session *session)
{
	struct cr_process *process;
	struct cr_thread *thread;
	long error = -EBUSY;

	if (!thread_group_empty(current))
		return -EINVAL;
	process = process_of_current(session);
	thread = process ? cr_thread_make(current, GFP_KERNEL) : NULL;
	if (!thread) {
		if (process)
			cr_process_put(process);
		return -ENOMEM;
	}
	/* What is queued for the process later must not end it. */
	sigfillset(&thread->mask);
	sigdelsetmask(&thread->mask, sigmask(SIGKILL) | sigmask(SIGSTOP));
	thread->count = 0;
	spin_lock(&cr_lock);
	if (!session->ended && !cr_thread_of(current)) {
		cr_thread_enter(thread, process, CR_CALLING);
		refcount_inc(&thread->references);
		error = 0;
	}
	spin_unlock(&cr_lock);
	cr_thread_put(thread);
	cr_process_put(process);
	return error;
}

static bool has_come(struct cr_session *session, int tid, long *error)
{
	struct cr_thread *thread = cr_thread_find(session, tid);
	struct task_struct *task;
	bool come = false;

	*error = -ESRCH;
	if (thread) {
		spin_lock(&cr_lock);
		come = cr_thread_stands(thread);
		spin_unlock(&cr_lock);
		if (come)
			*error = 0;
		else
			come = READ_ONCE(thread->task->flags) & PF_EXITING;
		cr_thread_put(thread);
		return come;
	}
	/* Not at the bell yet; a stranger never comes there. */
	rcu_read_lock();
	task = pid_task(find_vpid(tid), PIDTYPE_PID);
	spin_lock(&cr_lock);
	come = !task || (READ_ONCE(task->flags) & PF_EXITING)
		|| (!cr_process_of(session, task) && !cr_process_of(session, rcu_dereference(task->real_parent))
		    && rcu_dereference(task->real_parent) != current->group_leader);
	spin_unlock(&cr_lock);
	rcu_read_unlock();
	return come;
}

/* Seconds; emulated machines are slow. */
#define BIRTH_LIMIT 60

long cr_await(struct cr_session *session, struct cr_await *request)
{
	unsigned long end = jiffies + BIRTH_LIMIT * HZ;
	long error = 0, left;

	do {
		left = wait_event_killable_timeout(session->news, has_come(session, request->tid, &error), HZ / 100 ?: 1);
		if (left)
			return left < 0 ? -EINTR : error;
	} while (time_before(jiffies, end));
	return -ETIMEDOUT;
}

long cr_next_pid(const struct cr_next_pid *request)
{
	int error = cr_may_choose(current);

	if (request->pid <= 0)
		return -EINVAL;
	if (!error)
		idr_set_cursor(&current->nsproxy->pid_ns_for_children->idr, request->pid);
	return error;
}

long cr_arrive(const struct cr_arrive *request)
{
	struct cr_process *process = NULL;
	struct cr_thread *thread, *made = NULL;
	long error = -ESRCH;

	spin_lock(&cr_lock);
	thread = cr_thread_of(current);
	if (!thread) {
		/* Made since its process was let run: by another thread that is known. */
		struct task_struct *task;

		rcu_read_lock();
		for_each_thread(current, task) {
			struct cr_thread *other = cr_thread_of(task);

			if (other && !process) {
				process = other->process;
				kref_get(&process->references);
			}
		}
		rcu_read_unlock();
	}
	spin_unlock(&cr_lock);
	if (process)
		made = cr_thread_make(current, GFP_KERNEL);
	spin_lock(&cr_lock);
	if (made && process->is_listed && !cr_thread_of(current)) {
		cr_thread_enter(made, process, CR_RUNNING);
		refcount_inc(&made->references);
	}
	thread = cr_thread_of(current);
	if (thread && thread->state == CR_RUNNING && !thread->process->session->ended) {
		thread->state = CR_COMING;
		thread->value = request->value;
		thread->is_told = false;
		thread->has_called = true;
		error = cr_thread_ask(thread);
	} else if (thread && thread->state == CR_COMING) {
		/* It is being held just now: it calls again when it runs. */
		error = -EAGAIN;
	}
	spin_unlock(&cr_lock);
	if (made)
		cr_thread_put(made);
	if (process)
		cr_process_put(process);
	return error;
}

/* In an exec that has succeeded, nobody may sleep. */
static void executed(void *unused, struct task_struct *task, pid_t old, struct linux_binprm *program)
{
	struct cr_thread *thread = task == current ? cr_thread_of_caller() : NULL;

	if (!thread)
		return;
	thread->has_executed = true;
	thread->process->scratch.mm = NULL;
	thread->is_queued = true;
	refcount_inc(&thread->references);
	/* It is the current task and not exiting. */
	WARN_ON_ONCE(task_work_add(task, &thread->park, TWA_SIGNAL));
}

static struct tracepoint *exec_point;

static void look_for_exec(struct tracepoint *point, void *unused)
{
	if (!strcmp(point->name, "sched_process_exec"))
		exec_point = point;
}

int cr_births_watch(void)
{
	for_each_kernel_tracepoint(look_for_exec, NULL);
	if (!exec_point)
		return -ENOENT;
	return tracepoint_probe_register(exec_point, executed, NULL);
}

void cr_births_ignore(void)
{
	tracepoint_probe_unregister(exec_point, executed, NULL);
	tracepoint_synchronize_unregister();
}

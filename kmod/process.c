// SPDX-License-Identifier: GPL-2.0-only
/* Processes of a session: all of their threads are brought to a stand, and let go. */
#include <linux/ktime.h>
#include <linux/sched/jobctl.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

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

static void notice_ends(struct cr_process *process)
{
	struct cr_thread *thread;

	spin_lock(&cr_lock);
	list_for_each_entry(thread, &process->threads, in_process)
		cr_thread_notice(thread);
	spin_unlock(&cr_lock);
}

static void notice_all_ends(struct cr_session *session)
{
	struct cr_process *process;
	struct cr_thread *thread;

	spin_lock(&cr_lock);
	list_for_each_entry(process, &session->processes, in_session)
		list_for_each_entry(thread, &process->threads, in_process)
			cr_thread_notice(thread);
	spin_unlock(&cr_lock);
}

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
			wake_up_process(task);
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
		notice_ends(process);
		nudge(process, request);
		if (request->deadline != ~0ull && ktime_get_ns() >= request->deadline)
			return -ETIMEDOUT;
	}
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

static void process_drop(struct cr_process *process)
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
		process_drop(process);
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
	notice_ends(process);
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
				process_drop(process);
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

static bool find_news(struct cr_session *session, struct cr_news *request)
{
	struct cr_process *process;
	struct cr_thread *thread;

	request->kind = 0;
	spin_lock(&cr_lock);
	list_for_each_entry(process, &session->processes, in_session) {
		list_for_each_entry(thread, &process->threads, in_process) {
			if (thread->is_told)
				continue;
			if (thread->has_ended)
				request->kind = CR_NEWS_END;
			else if (thread->has_called && cr_thread_stands(thread))
				request->kind = CR_NEWS_CALL;
			else
				continue;
			thread->is_told = true;
			/* Of one that has ended the task knows it no more. */
			request->tid = pid_vnr(thread->id);
			request->pid = pid_vnr(process->id);
			request->value = thread->value;
			request->last = !process->present;
			break;
		}
		if (request->kind)
			break;
	}
	spin_unlock(&cr_lock);
	return request->kind != 0;
}

long cr_news(struct cr_session *session, struct cr_news *request)
{
	unsigned long end = jiffies + msecs_to_jiffies(clamp(request->milliseconds, 0, 60000));

	for (;;) {
		long left = wait_event_interruptible_timeout(session->news, find_news(session, request),
			min_t(unsigned long, msecs_to_jiffies(10), time_before(jiffies, end) ? end - jiffies : 0));

		if (left < 0)
			return -EINTR;
		if (left > 0)
			return 0;
		notice_all_ends(session);
		if (!time_before(jiffies, end)) {
			find_news(session, request);
			return 0;
		}
	}
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
		process_drop(process);
		cr_process_put(process);
	}
}

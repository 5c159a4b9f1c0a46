// SPDX-License-Identifier: GPL-2.0-only
/*
 * System calls in parked threads. A thread gets registers with which it executes one instruction, which enters the
 * kernel and ends at the border of a page that nobody can touch (place.c): there it is caught, with the result in
 * its registers, and gets those of the next call. Meanwhile its own registers, signal mask and way of going on with
 * an interrupted call are kept here, so that it goes on unharmed whenever the owner of the request dies.
 */
#include <linux/elf.h>
#include <linux/idr.h>
#include <linux/mm.h>
#include <linux/nsproxy.h>
#include <linux/pid_namespace.h>
#include <linux/ptrace.h>
#include <linux/regset.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "blcr.h"

static void block_signals(struct cr_thread *thread)
{
	sigset_t all;

	thread->mask = current->blocked;
	thread->has_saved_mask = test_restore_sigmask();
	if (thread->has_saved_mask) {
		thread->saved_mask = current->saved_sigmask;
		clear_restore_sigmask();
	}
	sigfillset(&all);
	sigdelset(&all, SIGKILL);
	sigprocmask(SIG_SETMASK, &all, NULL);
}

static void unblock_signals(struct cr_thread *thread)
{
	spin_lock_irq(&current->sighand->siglock);
	current->blocked = thread->mask;
	if (thread->has_saved_mask)
		current->saved_sigmask = thread->saved_mask;
	recalc_sigpending();
	spin_unlock_irq(&current->sighand->siglock);
	if (thread->has_saved_mask)
		set_restore_sigmask();
	thread->has_saved_mask = false;
}

static void choose_pid(struct cr_thread *thread)
{
	if (thread->next_pid)
		idr_set_cursor(&current->nsproxy->pid_ns_for_children->idr, thread->next_pid);
	thread->next_pid = 0;
}

void cr_calls_begin(struct cr_thread *thread)
{
	thread->before = *current_pt_regs();
	thread->restart = current->restart_block;
	block_signals(thread);
	/* A tracer is to see the calls of the program, not ours. */
	thread->was_traced = cr_calls_traced();
	if (thread->was_traced)
		cr_hide_calls();
	/* A filter could kill it for a call that it never makes itself. */
	thread->was_filtered = cr_calls_filtered(current);
	if (thread->was_filtered)
		cr_pass_calls();
	thread->done = 0;
	thread->has_rung = thread->has_executed = false;
	*current_pt_regs() = thread->frames[0];
	choose_pid(thread);
	spin_lock(&cr_lock);
	thread->state = CR_CALLING;
	spin_unlock(&cr_lock);
}

void cr_calls_end(struct cr_thread *thread)
{
	/* A new program has its own. */
	if (!thread->has_executed) {
		*current_pt_regs() = thread->before;
		current->restart_block = thread->restart;
	}
	unblock_signals(thread);
	if (thread->was_traced)
		cr_trace_calls();
	if (thread->was_filtered)
		cr_filter_calls();
	thread->was_traced = thread->was_filtered = false;
}

bool cr_calls_step(struct cr_thread *thread)
{
	if (thread->has_rung)
		thread->frames[thread->done++] = *current_pt_regs();
	if (thread->has_rung && !thread->has_executed && thread->done < thread->count
	    && !READ_ONCE(thread->process->session->ended)) {
		thread->has_rung = false;
		*current_pt_regs() = thread->frames[thread->done];
		return true;
	}
	cr_calls_end(thread);
	return false;
}

/* One sequence on its way through cr_make_calls(). */
struct party {
	struct cr_sequence sequence;
	struct cr_thread *thread;
	bool called;
};

/* Registers as a debugger sets them, so with the kernel's own checks; the thread keeps its own. */
static long load(struct party *party)
{
	struct cr_sequence *sequence = &party->sequence;
	struct cr_thread *thread = party->thread;
	const struct user_regset *set = cr_regset_of(thread->task, NT_PRSTATUS);
	struct pt_regs own = *task_pt_regs(thread->task);
	unsigned int index;
	void *bytes;
	long error = 0;

	if (!set || sequence->size != set->n * set->size)
		return -EINVAL;
	bytes = kmalloc(sequence->size, GFP_KERNEL);
	if (!bytes)
		return -ENOMEM;
	kvfree(thread->frames);
	thread->frames = kvmalloc_array(sequence->count, sizeof(struct pt_regs), GFP_KERNEL);
	if (!thread->frames)
		error = -ENOMEM;
	for (index = 0; !error && index < sequence->count; index++) {
		if (copy_from_user(bytes, u64_to_user_ptr(sequence->registers + (u64)index * sequence->size), sequence->size))
			error = -EFAULT;
		else
			error = set->set(thread->task, set, 0, sequence->size, bytes, NULL);
		thread->frames[index] = *task_pt_regs(thread->task);
	}
	*task_pt_regs(thread->task) = own;
	thread->count = sequence->count;
	thread->done = 0;
	thread->next_pid = sequence->next_pid;
	kfree(bytes);
	return error;
}

static long store(struct cr_session *session, struct party *party)
{
	struct cr_sequence *sequence = &party->sequence;
	struct cr_thread *thread = cr_thread_lock(session, sequence->tid);
	const struct user_regset *set;
	struct pt_regs own;
	unsigned int index;
	void *bytes;
	long error = 0;

	if (IS_ERR(thread))
		return PTR_ERR(thread) == -ESRCH ? 0 : PTR_ERR(thread);
	own = *task_pt_regs(thread->task);
	set = cr_regset_of(thread->task, NT_PRSTATUS);
	/* After an exec it may be of another width; those calls have no results. */
	if (thread->has_executed || !set || set->n * set->size != sequence->size)
		goto out;
	for (index = 0; !error && index < thread->done; index++) {
		int size;

		*task_pt_regs(thread->task) = thread->frames[index];
		size = regset_get_alloc(thread->task, set, sequence->size, &bytes);
		if (size < 0) {
			error = size;
			break;
		}
		if (copy_to_user(u64_to_user_ptr(sequence->registers + (u64)index * sequence->size), bytes, size))
			error = -EFAULT;
		kfree(bytes);
	}
	*task_pt_regs(thread->task) = own;
out:
	sequence->done = thread->has_executed ? sequence->count : thread->done;
	cr_thread_unlock(thread);
	return error;
}

static bool all_back(struct party *parties, unsigned int count)
{
	bool back = true;

	spin_lock(&cr_lock);
	while (back && count--) {
		if (!parties[count].called)
			continue;
		cr_thread_notice(parties[count].thread);
		back = cr_thread_stands(parties[count].thread) || parties[count].thread->state == CR_LEFT;
	}
	spin_unlock(&cr_lock);
	return back;
}

static long begin(struct cr_session *session, struct party *party)
{
	struct cr_sequence *sequence = &party->sequence;
	struct cr_thread *thread;
	long error = 0;

	if (!sequence->count || sequence->count > CR_CALLS_MOST || sequence->next_pid < 0)
		return -EINVAL;
	thread = cr_thread_lock(session, sequence->tid);
	if (IS_ERR(thread))
		return PTR_ERR(thread);
	party->thread = thread;
	/* Nowhere to come back from. */
	if (thread->process->scratch.mm != thread->task->mm)
		error = -ENXIO;
	/* As PTRACE_O_SUSPEND_SECCOMP. */
	if (!error && cr_calls_filtered(thread->task) && (!capable(CAP_SYS_ADMIN) || cr_calls_filtered(current)))
		error = -EPERM;
	if (!error && sequence->next_pid)
		error = cr_may_choose(thread->task);
	if (!error)
		error = load(party);
	if (!error) {
		spin_lock(&cr_lock);
		cr_thread_order(thread, CR_CALL);
		party->called = true;
		spin_unlock(&cr_lock);
	}
	mutex_unlock(&thread->access);
	return error;
}

long cr_make_calls(struct cr_session *session, struct cr_calls *request)
{
	struct cr_sequence __user *place = u64_to_user_ptr(request->sequences);
	struct party *parties;
	unsigned int count, index;
	long error = 0, left;

	if (!request->count || request->count > 1 << 16)
		return -EINVAL;
	parties = kvcalloc(request->count, sizeof(*parties), GFP_KERNEL);
	if (!parties)
		return -ENOMEM;
	for (count = 0; !error && count < request->count; count++) {
		if (copy_from_user(&parties[count].sequence, &place[count], sizeof(*place)))
			error = -EFAULT;
		else
			error = begin(session, &parties[count]);
	}
	/* Who ends in a call does not say so. */
	do {
		left = wait_event_killable_timeout(session->news, all_back(parties, count), HZ / 100 ?: 1);
	} while (!left);
	if (left < 0)
		error = -EINTR;
	for (index = 0; index < count; index++) {
		struct party *party = &parties[index];
		long failure;

		if (party->called && error != -EINTR) {
			failure = store(session, party);
			if (put_user(party->sequence.done, &place[index].done))
				failure = -EFAULT;
			error = error ?: failure;
		}
		if (party->thread)
			cr_thread_put(party->thread);
	}
	kvfree(parties);
	return error;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * What happens in the threads themselves, on their way to user mode and where the kernel looks for signals: they
 * stand, follow orders, and go on as they were. An interrupted call is still visible here, and the kernel makes it
 * again afterwards as if a signal had been ignored.
 */
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched/jobctl.h>

#include "blcr.h"

/* A process that was found in a job-control stop, and has not been continued, goes on in it. */
static void stop_again(void)
{
	spin_lock_irq(&current->sighand->siglock);
	if (current->signal->flags & SIGNAL_STOP_STOPPED) {
		if (!(current->jobctl & JOBCTL_STOP_SIGMASK))
			current->jobctl |= SIGSTOP;
		current->jobctl |= JOBCTL_STOP_PENDING;
	} else {
		current->jobctl &= ~JOBCTL_STOPPED;
	}
	recalc_sigpending();
	spin_unlock_irq(&current->sighand->siglock);
}

/* Out of the registry; the last of a process whose owner has died takes what was mapped with it. */
static void leave(struct cr_thread *thread)
{
	struct cr_process *process = thread->process;
	unsigned long start = 0, end = 0;

	spin_lock(&cr_lock);
	if (thread->is_present && process->present == 1 && !process->scratch.borrowed
	    && process->scratch.mm == current->mm) {
		start = process->scratch.start;
		end = process->scratch.end;
		process->scratch.mm = NULL;
	}
	cr_thread_leave(thread);
	thread->state = CR_LEFT;
	spin_unlock(&cr_lock);
	if (end)
		vm_munmap(start, end - start);
	stop_again();
}

static void unmap(struct cr_thread *thread)
{
	struct cr_process *process = thread->process;
	unsigned long start = 0, end = 0;

	spin_lock(&cr_lock);
	if (process->scratch.mm == current->mm && !process->scratch.borrowed) {
		start = process->scratch.start;
		end = process->scratch.end;
	}
	process->scratch.mm = NULL;
	spin_unlock(&cr_lock);
	thread->result = end ? vm_munmap(start, end - start) : 0;
}

/* The next order; CR_STAY when there is nothing more to wait for, since the thread is being killed. */
static enum cr_order await_order(struct cr_thread *thread)
{
	struct cr_session *session = thread->process->session;
	enum cr_order order = CR_STAY;
	bool killed;

	spin_lock(&cr_lock);
	thread->switches = current->nvcsw;
	thread->state = CR_PARKED;
	spin_unlock(&cr_lock);
	wake_up_all(&session->news);
	killed = wait_event_killable(thread->wait, READ_ONCE(thread->order) != CR_STAY);
	mutex_lock(&thread->access);
	spin_lock(&cr_lock);
	if (!killed)
		order = thread->order;
	thread->order = CR_STAY;
	thread->state = CR_MOVING;
	spin_unlock(&cr_lock);
	mutex_unlock(&thread->access);
	return order;
}

static void stand(struct cr_thread *thread)
{
	for (;;) {
		switch (await_order(thread)) {
		case CR_STAY:
			cr_thread_end(thread);
			return;
		case CR_MAP:
			thread->result = cr_place_map(thread);
			break;
		case CR_UNMAP:
			unmap(thread);
			break;
		case CR_CALL:
			cr_calls_begin(thread);
			return;
		case CR_GO_RUN:
			spin_lock(&cr_lock);
			thread->state = CR_RUNNING;
			spin_unlock(&cr_lock);
			stop_again();
			return;
		case CR_LEAVE:
			leave(thread);
			return;
		}
	}
}

static bool is_ending(void)
{
	return (current->flags & PF_EXITING) || fatal_signal_pending(current);
}

void cr_park(struct callback_head *work)
{
	struct cr_thread *thread = container_of(work, struct cr_thread, park);
	enum cr_state state;

	spin_lock(&cr_lock);
	thread->is_queued = false;
	state = thread->state;
	spin_unlock(&cr_lock);
	if (state == CR_LEFT) {
		/* Nobody wants it any more, or it has left by its recall. */
	} else if (is_ending()) {
		cr_thread_end(thread);
	} else if (state != CR_CALLING || !cr_calls_step(thread)) {
		stand(thread);
	}
	cr_thread_put(thread);
}

/* The request has ended in the middle of a call. */
void cr_recall(struct callback_head *work)
{
	struct cr_thread *thread = container_of(work, struct cr_thread, recall);
	bool calls;

	spin_lock(&cr_lock);
	/* Where the bell has rung, the other work is to come, and finds the order to leave. */
	calls = thread->state == CR_CALLING && !thread->is_queued;
	spin_unlock(&cr_lock);
	if (is_ending()) {
		cr_thread_end(thread);
	} else if (calls) {
		cr_calls_end(thread);
		leave(thread);
	}
	cr_thread_put(thread);
}

/* SPDX-License-Identifier: Apache-2.0
 * A request seen from inside: the callbacks of a thread, each inside the cr_checkpoint() of the one
 * before it, and at the bottom the moment in which the thread tells the engine and stands still.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <ucontext.h>
#include "blcr_uapi.h"
#include "cr.h"

CR_PUBLIC int cr_link_me;

CR_DEFINE_BLOCK(CR_KIND_FULL, "1");

cr_spinlock_t cri_forward_guard = CR_SPINLOCK_INITIALIZER;

/* Where the kernel module holds us, there is no tracer to see our signal: the control file is told, and we stand
 * when that call ends. EAGAIN: we are being held at this very moment, and say it again when we run. */
static void tell_module(int value)
{
	struct cr_arrive arrive = { value, 0 };
	long file = cr_raw_call(SYS_openat, AT_FDCWD, (long)CR_CONTROL_FILE, O_RDWR | O_CLOEXEC, 0, 0, 0);

	if (file < 0)
		return;
	while (cr_raw_call(SYS_ioctl, file, CR_ARRIVE, (long)&arrive, 0, 0, 0) == -EAGAIN)
		;
	cr_raw_call(SYS_close, file, 0, 0, 0, 0, 0);
}

/* Sends ourselves the signal whose stop the tracer waits for. Without one the handler runs and
 * does nothing, and unless the module has us nobody has answered. */
int cri_arrive(int kind, int flags)
{
	uint32_t before = cri_load(&cri_block.answers);
	siginfo_t info;
	cri_mask mask;

	memset(&info, 0, sizeof info);
	info.si_signo = CR_SIGNUM;
	info.si_code = SI_QUEUE;
	info.si_pid = cri_process();
	info.si_value.sival_int = kind | (flags & 0xf) << 8 | (int)((unsigned)flags & 0xffff0000);
	mask = cri_block_signals();
	cri_unblock_own_signal();
	cr_raw_call(SYS_rt_tgsigqueueinfo, info.si_pid, cri_task(), CR_SIGNUM, (long)&info, 0, 0);
	cri_restore_signals(mask);
	if (cri_load(&cri_block.answers) == before)
		tell_module(info.si_value.sival_int);
	return cri_load(&cri_block.answers) != before;
}

void cri_restore_action(void)
{
	unsigned char present[CR_CONTROL_ACTION];
	struct { long handler, rest[5]; } ignore = { (long)SIG_IGN, { 0 } };

	if (!cri_load(&cri_block.displaced_size))
		return;
	/* The application may have set another one since. */
	if (!cr_raw_call(SYS_rt_sigaction, CR_SIGNUM, 0, (long)present, 8, 0, 0)
	    && !memcmp(present, cri_block.action, cri_block.action_size)) {
		/* Takes away what an engine that is gone has sent, in all threads. */
		cr_raw_call(SYS_rt_sigaction, CR_SIGNUM, (long)&ignore, 0, 8, 0, 0);
		cr_raw_call(SYS_rt_sigaction, CR_SIGNUM, (long)cri_block.displaced, 0, 8, 0, 0);
	}
	cri_store(&cri_block.displaced_size, 0);
}

void cri_begin_arrivals(void)
{
	cri_add(&cri_block.arriving, 1);
}

void cri_end_arrivals(void)
{
	cri_mask mask = cri_enter_guard();

	if (cri_load(&cri_block.arriving) == 1
	    && CR_PHASE(cri_load(&cri_block.phase)) == CR_PHASE_IDLE)
		cri_restore_action();
	cri_add(&cri_block.arriving, -1u);
	cri_leave_guard(mask);
}

/* Waits for the end of the request, or for its failure. What cr_checkpoint() returns. */
static int await(struct cri_run *run, int flags)
{
	while (cri_load(&cri_block.outcome) == CR_OUTCOME_NONE) {
		if (cri_arrive(CR_ARRIVES_READY, flags))
			continue;
		/* The engine is gone. The first to find out decides for all. */
		if (cri_load(&cri_block.outcome) == CR_OUTCOME_NONE) {
			cri_block.error = CR_ETEMPFAIL;
			cri_swap(&cri_block.outcome, CR_OUTCOME_NONE, CR_OUTCOME_FAILED);
		}
	}
	run->has_result = 1;
	switch (cri_load(&cri_block.outcome)) {
	case CR_OUTCOME_CONTINUE:
		return 0;
	case CR_OUTCOME_RESTART:
		run->restart.requester = cri_block.restart_requester;
		run->restart.src = cri_block.source;
		return 1;
	default:
		return -cri_block.error;
	}
}

static void run_hooks(const struct cri_run *run)
{
	int event = CR_HOOK_CONT_NO_CALLBACKS;

	if (run->result < 0)
		return;
	if (run->context == CR_THREAD_CONTEXT)
		event = CR_HOOK_CONT_THREAD_CONTEXT;
	else if (run->count)
		event = CR_HOOK_CONT_SIGNAL_CONTEXT;
	if (run->result > 0)
		event += CR_HOOK_RSTRT_SIGNAL_CONTEXT;
	cri_run_hook((cr_hook_event_t)event);
}

/* The next callback that is not disabled; 0 if there is none. */
static int next(struct cri_run *run, struct cri_callback *callback, unsigned *index)
{
	while (run->begun < run->count) {
		unsigned place = run->begun++;

		if (run->context == CR_SIGNAL_CONTEXT) {
			place = run->count - 1 - place; /* last registered first */
			*callback = cri_self.callbacks.entries[place];
		} else if (!cri_thread_callback(place, callback)) {
			return 0;
		}
		*index = place;
		if (callback->func)
			return 1;
	}
	return 0;
}

static int proceed(struct cri_run *run, int flags);

static void invoke(struct cri_run *run, const struct cri_callback *callback, unsigned index)
{
	struct cri_frame frame = { run->frame, index, 0 };
	int failed;

	run->frame = &frame;
	failed = callback->func(callback->arg);
	if (!frame.has_called) {
		frame.has_called = 1;
		proceed(run, CR_CHECKPOINT_READY);
	}
	run->frame = frame.outer;
	if (failed && run->result >= 0)
		run->must_abort = 1;
}

static int proceed(struct cri_run *run, int flags)
{
	struct cri_callback callback;
	unsigned index;

	if (flags == CR_CHECKPOINT_READY && next(run, &callback, &index)) {
		invoke(run, &callback, index);
	} else {
		run->result = await(run, flags);
		run_hooks(run);
	}
	return run->result;
}

int cr_checkpoint(int flags)
{
	struct cri_run *run = cri_self.run;
	int kind = flags & 0xffff, code = (int)((unsigned)flags >> 16);

	if (!run || !run->frame)
		return -CR_ENOTCB;
	if (run->frame->has_called)
		return -EINVAL;
	if (kind != CR_CHECKPOINT_READY && kind != CR_CHECKPOINT_TEMP_FAILURE
	    && kind != CR_CHECKPOINT_PERM_FAILURE && kind != CR_CHECKPOINT_OMIT)
		return -EINVAL;
	if (code && kind != CR_CHECKPOINT_TEMP_FAILURE && kind != CR_CHECKPOINT_PERM_FAILURE)
		return -EINVAL;
	run->frame->has_called = 1;
	return proceed(run, flags);
}

/* Not told which run it is: of a thread that ends in its callbacks that is gone with the stack. */
static void finish(int aborts)
{
	uint32_t request = cri_self.served >> 8;

	cri_self.run = NULL;
	cri_self.shared.flags &= ~(uint32_t)CR_THREAD_RUNNING;
	cri_add(&cri_block.runners, -1u);
	cri_unlock_run();
	if (!cri_arrive(aborts ? CR_ARRIVES_ABORT : CR_ARRIVES_DONE, 0)
	    && !cri_load(&cri_block.runners)) {
		uint32_t phase = cri_load(&cri_block.phase);

		/* Nobody else will say that it is over. */
		if (phase >> 8 == request)
			cri_swap(&cri_block.phase, phase, CR_PHASE_IDLE);
	}
	cri_end_arrivals();
	if (aborts)
		abort();
}

void cri_serve(int context, uint32_t phase)
{
	struct cri_run run;

	memset(&run, 0, sizeof run);
	run.context = context;
	run.phase = phase;
	run.count = context == CR_SIGNAL_CONTEXT
		? cri_self.callbacks.count : cri_thread_callback_count();
	cri_self.served = phase;
	cri_lock_run();
	cri_begin_arrivals();
	cri_add(&cri_block.runners, 1);
	/* The wait for critical sections may have been longer than the engine's patience. */
	if (cri_load(&cri_block.phase) != phase) {
		cri_add(&cri_block.runners, -1u);
		cri_end_arrivals();
		cri_unlock_run();
		return;
	}
	run.checkpoint.signal = cri_block.signal;
	run.checkpoint.dest = cri_block.destination;
	run.checkpoint.requester = cri_block.requester;
	run.checkpoint.target = cri_block.target;
	run.checkpoint.scope = (cr_scope_t)cri_block.scope;
	cri_self.run = &run;
	cri_self.shared.flags |= CR_THREAD_RUNNING;
	proceed(&run, CR_CHECKPOINT_READY);
	finish(run.must_abort);
}

void cri_abandon_run(void)
{
	if (cri_self.run)
		finish(0);
}

/* In the handler: the engine wants this thread's callbacks. */
void cri_called(void)
{
	uint32_t phase = cri_load(&cri_block.phase);

	if (cri_self.is_server)
		cri_self.deferred = phase;
	if (CR_PHASE(phase) != CR_PHASE_SIGNALS || cri_self.run || cri_self.is_server
	    || cri_self.served == phase)
		return;
	if (cri_self.shared.sections || cri_self.changing)
		cri_self.deferred = phase;
	else
		cri_serve(CR_SIGNAL_CONTEXT, phase);
}

void cri_serve_deferred(void)
{
	sigset_t all, before;
	int error = errno;

	if (!cri_self.deferred)
		return;
	/* As in the handler: without those of the C library, which a cancelled callback waits for. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	cri_self.deferred = 0;
	cri_called();
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = error;
}

const struct cr_checkpoint_info *cr_get_checkpoint_info(void)
{
	return cri_self.run ? &cri_self.run->checkpoint : NULL;
}

const struct cr_restart_info *cr_get_restart_info(void)
{
	struct cri_run *run = cri_self.run;

	return run && run->has_result && run->result > 0 ? &run->restart : NULL;
}

int cr_forward_checkpoint(cr_scope_t scope, pid_t target)
{
	struct cri_run *run = cri_self.run;
	int result;

	if (!run || !run->frame || run->frame->has_called)
		return cri_fail(CR_ENOTCB);
	if ((unsigned)scope > CR_SCOPE_TREE || target < 0)
		return cri_fail(EINVAL);
	if (!target) {
		target = cri_process();
		if (scope == CR_SCOPE_PGRP)
			target = getpgrp();
		if (scope == CR_SCOPE_SESS)
			target = getsid(0);
	}
	cr_spinlock_lock(&cri_forward_guard);
	cri_block.forward_scope = scope;
	cri_block.forward_target = target;
	cri_block.forward_result = CR_ETEMPFAIL;
	cri_arrive(CR_ARRIVES_FORWARD, 0);
	result = cri_block.forward_result;
	cr_spinlock_unlock(&cri_forward_guard);
	return result ? cri_fail(result) : 0;
}

/* Whether we stand on the first instruction of a handler of the C library's own (cancellation, set*id() in all
 * threads), whose signals no program can block. A cancellation point in a callback would wait for that handler to
 * do its work, and it for us. */
static int is_before_libc(const ucontext_t *context)
{
	for (int number = 32; number < SIGRTMIN; number++)
		if (sigismember(&context->uc_sigmask, number) == 1)
			return 1;
	return 0;
}

static void answer(siginfo_t *info, ucontext_t *context)
{
	int type;

	if (info->si_value.sival_int == CR_CALLS_BLOCKED) {
		sigaddset(&context->uc_sigmask, CR_SIGNUM);
	} else if (is_before_libc(context)) {
		/* Again when that is over, if the thread is not. */
		sigaddset(&context->uc_sigmask, CR_SIGNUM);
		cr_raw_call(SYS_rt_tgsigqueueinfo, cri_process(), cri_task(), CR_SIGNUM, (long)info, 0, 0);
		return;
	}
	/* Where we interrupt a call that is a cancellation point, glibc lets a cancellation unwind us at any
	 * instruction. Now it waits for our return, or for such a call of a callback. */
	pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &type);
	cri_called();
	pthread_setcanceltype(type, NULL);
}

static void handle(int number, siginfo_t *info, void *context)
{
	int error = errno;

	(void)number;
	if (info->si_code == SI_QUEUE && (info->si_value.sival_int & ~1) == CR_CALLS)
		answer(info, context);
	errno = error;
}

__attribute__((__constructor__)) static void load(void)
{
	cri_load_library(CR_KIND_FULL, CRI_DISPLACES, handle);
}

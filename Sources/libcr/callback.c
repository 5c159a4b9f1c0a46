/* SPDX-License-Identifier: Apache-2.0
 * Which callbacks and hooks there are, and the thread that serves those of thread context.
 */
#include <limits.h>
#include <stdlib.h>
#include "cr.h"

static struct cri_callbacks thread_callbacks;
static cr_hook_fn_t hooks[CR_NUM_HOOKS];
static pthread_mutex_t server_start = PTHREAD_MUTEX_INITIALIZER;

#define CONTEXTS (CR_THREAD_CONTEXT | CR_SIGNAL_CONTEXT)

static int is_context(int flags)
{
	return flags == CR_THREAD_CONTEXT || flags == CR_SIGNAL_CONTEXT;
}

static int create_server(size_t stack);

/* A callback has called pthread_exit(). The next checkpoint wants a thread for the others. */
static void replace_server(void *unused)
{
	(void)unused;
	/* First, so that no engine calls this one any more. */
	cri_store(&cri_block.server, 0);
	cri_end_thread();
	create_server(0);
}

/* Blocks every signal, so that the only one it ever takes is the engine's, when it asks for it. */
static void *server(void *unused)
{
	unsigned long words[8 / sizeof(long)] = { 0 };
	unsigned bit = CR_SIGNUM - 1, width = 8 * sizeof(long);

	words[bit / width] = 1ul << bit % width;
	cri_self.is_server = 1;
	cri_store(&cri_block.server, (uint32_t)cri_task());
	cri_wake_word(&cri_block.server, 1);
	pthread_cleanup_push(replace_server, NULL);
	for (;;) {
		siginfo_t info;
		uint32_t phase;

		/* A call may have come while the end of the request before was told. */
		if (!cri_self.deferred
		    && cr_raw_call(SYS_rt_sigtimedwait, (long)words, (long)&info, 0, sizeof words, 0, 0)
			!= CR_SIGNUM)
			continue;
		cri_self.deferred = 0;
		phase = cri_load(&cri_block.phase);
		if (CR_PHASE(phase) == CR_PHASE_SERVER && cri_self.served != phase)
			cri_serve(CR_THREAD_CONTEXT, phase);
	}
	pthread_cleanup_pop(0);
	return unused;
}

static int create_server(size_t stack)
{
	pthread_attr_t attributes;
	pthread_t thread;
	int error = pthread_attr_init(&attributes);

	if (error)
		return error;
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	if (stack)
		pthread_attr_setstacksize(&attributes, stack);
	error = pthread_create(&thread, &attributes, server, NULL);
	pthread_attr_destroy(&attributes);
	return error;
}

static int start_server(void)
{
	cri_mask mask;
	int error = 0;

	pthread_mutex_lock(&server_start);
	if (!cri_load(&cri_block.server)) {
		mask = cri_block_signals();
		error = create_server(0);
		/* Little memory is left, or little is allowed: callbacks are small as a rule. */
		if (error)
			error = create_server(256 << 10);
		cri_restore_signals(mask);
		while (!error && !cri_load(&cri_block.server))
			cri_wait_word(&cri_block.server, 0, 100, 1);
	}
	pthread_mutex_unlock(&server_start);
	return error ? ENOMEM : 0;
}

/* Appends, with signals blocked. The index, or -1 and errno. */
static int append(struct cri_callbacks *list, struct cri_callback callback)
{
	struct cri_callback *entries;
	unsigned capacity;

	if (list->count == CR_MAX_CALLBACKS)
		return cri_fail(ENOSPC);
	if (list->count == list->capacity) {
		capacity = list->capacity ? 2 * list->capacity : 8;
		if (capacity > CR_MAX_CALLBACKS)
			capacity = CR_MAX_CALLBACKS;
		entries = realloc(list->entries, capacity * sizeof *entries);
		if (!entries)
			return cri_fail(ENOMEM);
		list->entries = entries;
		list->capacity = capacity;
	}
	list->entries[list->count] = callback;
	return (int)list->count++;
}

cr_callback_id_t cr_register_callback(cr_callback_t func, void *arg, int flags)
{
	struct cri_callback callback = { func, arg };
	cri_mask mask;
	int error, index;

	if (!cri_is_ready())
		return cri_fail(CR_ENOINIT);
	if (cri_self.run)
		return cri_fail(EBUSY);
	if (!func || !is_context(flags))
		return cri_fail(EINVAL);
	if (flags == CR_SIGNAL_CONTEXT) {
		mask = cri_block_signals();
		index = append(&cri_self.callbacks, callback);
		if (index >= 0) {
			cri_self.shared.flags |= CR_THREAD_CALLBACKS;
			AO_int_or_full((volatile unsigned *)&cri_block.wants, CR_WANTS_SIGNALS);
		}
		cri_restore_signals(mask);
	} else {
		error = start_server();
		if (error)
			return cri_fail(error);
		mask = cri_enter_guard();
		index = append(&thread_callbacks, callback);
		cri_leave_guard(mask);
		if (index >= 0)
			AO_int_or_full((volatile unsigned *)&cri_block.wants, CR_WANTS_SERVER);
	}
	return index < 0 ? -1 : (index | flags);
}

static int replace(unsigned index, struct cri_callback callback, int context)
{
	struct cri_callbacks *list =
		context == CR_SIGNAL_CONTEXT ? &cri_self.callbacks : &thread_callbacks;
	cri_mask mask = cri_enter_guard();
	int found = index < list->count;

	if (found)
		list->entries[index] = callback;
	cri_leave_guard(mask);
	return found ? 0 : cri_fail(EINVAL);
}

int cr_replace_callback(cr_callback_id_t id, cr_callback_t func, void *arg, int flags)
{
	struct cri_callback callback = { func, arg };

	if (!cri_is_ready())
		return cri_fail(CR_ENOINIT);
	if (cri_self.run)
		return cri_fail(EBUSY);
	if (id < 0 || !is_context(flags) || (id & CONTEXTS) != flags)
		return cri_fail(EINVAL);
	return replace((unsigned)(id & ~CONTEXTS), callback, flags);
}

int cr_replace_self(cr_callback_t func, void *arg, int flags)
{
	struct cri_callback callback = { func, arg };

	if (!cri_self.run || !cri_self.run->frame)
		return cri_fail(CR_ENOTCB);
	if (flags != cri_self.run->context)
		return cri_fail(EINVAL);
	return replace(cri_self.run->frame->index, callback, flags);
}

unsigned cri_thread_callback_count(void)
{
	cri_mask mask = cri_enter_guard();
	unsigned count = thread_callbacks.count;

	cri_leave_guard(mask);
	return count;
}

int cri_thread_callback(unsigned index, struct cri_callback *callback)
{
	cri_mask mask = cri_enter_guard();
	int found = index < thread_callbacks.count;

	if (found)
		*callback = thread_callbacks.entries[index];
	cri_leave_guard(mask);
	return found;
}

void cri_forget_callbacks(void)
{
	/* The table stays for the next ones; free() is not for a child of a threaded process. */
	thread_callbacks.count = 0;
	memset(hooks, 0, sizeof hooks);
	server_start = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
}

cr_hook_fn_t cr_register_hook(cr_hook_event_t event, cr_hook_fn_t func)
{
	cr_hook_fn_t old;
	cri_mask mask;
	unsigned all;

	if (!cri_is_ready()) {
		errno = CR_ENOINIT;
		return CR_HOOK_FN_ERROR;
	}
	if ((unsigned)event >= CR_NUM_HOOKS || func == CR_HOOK_FN_ERROR) {
		errno = EINVAL;
		return CR_HOOK_FN_ERROR;
	}
	mask = cri_enter_guard();
	old = hooks[event];
	hooks[event] = func;
	all = hooks[CR_HOOK_CONT_NO_CALLBACKS] || hooks[CR_HOOK_RSTRT_NO_CALLBACKS];
	cri_leave_guard(mask);
	if (all)
		AO_int_or_full((volatile unsigned *)&cri_block.wants, CR_WANTS_ALL);
	else
		AO_int_and_full((volatile unsigned *)&cri_block.wants, ~(unsigned)CR_WANTS_ALL);
	return old;
}

void cri_run_hook(cr_hook_event_t event)
{
	cr_hook_fn_t hook = hooks[event];

	if (hook)
		hook(event);
}

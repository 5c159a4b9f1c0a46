/* SPDX-License-Identifier: Apache-2.0
 * Threads that use the library: the list of them that the engine reads, and their end.
 */
#include <limits.h>
#include <stdlib.h>
#include "cr.h"

_Thread_local struct cri_thread cri_self;
cr_spinlock_t cri_guard = CR_SPINLOCK_INITIALIZER;

static pthread_key_t ending;
static cri_word has_key;
static pthread_mutex_t once = PTHREAD_MUTEX_INITIALIZER;

/* A list whose links are stored whole and in order, so that it is right at any moment at which
 * the engine may stop us. */
static void join_list(void)
{
	cri_mask mask = cri_enter_guard();

	cri_self.shared.next = cri_block.threads;
	AO_nop_full();
	cri_block.threads = (uintptr_t)&cri_self.shared;
	cri_leave_guard(mask);
}

static void leave_list(void)
{
	cri_mask mask = cri_enter_guard();
	uint64_t *link = &cri_block.threads;

	while (*link && *link != (uintptr_t)&cri_self.shared)
		link = &((struct cr_control_thread *)(uintptr_t)*link)->next;
	if (*link)
		*link = cri_self.shared.next;
	cri_leave_guard(mask);
}

void cri_end_thread(void)
{
	cri_abandon_run();
	cri_end_stay();
	cri_drop_sections();
	leave_list();
	free(cri_self.callbacks.entries);
	memset(&cri_self, 0, sizeof cri_self);
}

static void end_thread(void *state)
{
	/* Another round of destructors, while there are any, if somebody still wants us. */
	if (cri_self.persist && ++cri_self.endings < PTHREAD_DESTRUCTOR_ITERATIONS
	    && !pthread_setspecific(ending, state))
		return;
	cri_end_thread();
}

/* Makes this process the owner of the block, with nothing in it: at the first cr_init(), and in a
 * child. */
static void forget(int has_forked)
{
	/* Requests need no cr_init(): those from before it are our own. */
	int is_first = !cri_block.owner && !has_forked;

	cri_block.owner = (uint32_t)cri_process();
	cri_block.wants = 0;
	cri_block.server = 0;
	cri_block.lock = 0;
	cri_block.runners = 0;
	cri_block.arriving = 0;
	cri_restore_action();
	cri_block.threads = 0;
	cri_block.phase = CR_PHASE_IDLE;
	cri_block.outcome = CR_OUTCOME_NONE;
	cri_block.hold_init = CR_HOLD_BOTH;
	cri_block.hold_uninit = CR_HOLD_BOTH;
	memset(&cri_self, 0, sizeof cri_self);
	cri_forget_callbacks();
	if (is_first)
		return;
	memset(cri_block.helpers, 0, sizeof cri_block.helpers);
	cr_spinlock_init(&cri_guard);
	cr_spinlock_init(&cri_forward_guard);
	cri_forget_requests();
}

/* In a child made by fork(): one thread, and none of the library's state. Its own table of callbacks
 * is given back; those of the threads that are not here have no owner any more. */
static void forked(void)
{
	struct cri_callback *entries = cri_self.callbacks.entries;

	if (cri_self.shared.flags & CR_THREAD_INIT)
		pthread_setspecific(ending, NULL);
	forget(1);
	once = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
	free(entries);
}

/* With `once` taken. */
static int watch_forks(void)
{
	int error;

	if (cri_load(&has_key))
		return 0;
	error = pthread_key_create(&ending, end_thread);
	if (!error)
		error = pthread_atfork(NULL, NULL, forked);
	if (!error)
		cri_store(&has_key, 1);
	return error;
}

int cri_watch_forks(void)
{
	int error;

	if (cri_load(&has_key))
		return 0;
	pthread_mutex_lock(&once);
	error = watch_forks();
	pthread_mutex_unlock(&once);
	return error;
}

static int own_process(void)
{
	int error;

	if (cri_block.owner == (uint32_t)cri_process())
		return 0;
	pthread_mutex_lock(&once);
	error = watch_forks();
	if (!error && cri_block.owner != (uint32_t)cri_process())
		forget(0);
	pthread_mutex_unlock(&once);
	return error;
}

cr_client_id_t cr_init(void)
{
	int error = own_process();

	if (error)
		return cri_fail(error);
	if (cri_self.clients == CRI_CLIENTS)
		return cri_fail(ENOSPC);
	if (!(cri_self.shared.flags & CR_THREAD_INIT)) {
		error = cri_self.is_server ? 0 : pthread_setspecific(ending, &cri_self);
		if (error)
			return cri_fail(error);
		cri_self.shared.tid = (uint32_t)cri_task();
		cri_self.shared.hold = CR_HOLD_DFLT;
		cri_self.shared.flags |= CR_THREAD_INIT;
		join_list();
	}
	return (cr_client_id_t)cri_self.clients++;
}

int cr_inc_persist(void)
{
	if (!cri_is_ready())
		return cri_fail(CR_ENOINIT);
	if (cri_self.persist == INT_MAX)
		return cri_fail(ERANGE);
	return cri_self.persist++;
}

int cr_dec_persist(void)
{
	if (!cri_is_ready())
		return cri_fail(CR_ENOINIT);
	if (cri_self.persist == 0)
		return cri_fail(ERANGE);
	return cri_self.persist--;
}

int cr_hold_ctrl(int scope, int flags)
{
	uint32_t *setting;
	int last = CR_HOLD_BOTH, old;

	if (!cri_is_ready())
		return cri_fail(CR_ENOINIT);
	switch (scope) {
	case CR_HOLD_SCOPE_THREAD:
		setting = &cri_self.shared.hold;
		last = CR_HOLD_DFLT;
		break;
	case CR_HOLD_SCOPE_INIT:
		setting = &cri_block.hold_init;
		break;
	case CR_HOLD_SCOPE_UNINIT:
		setting = &cri_block.hold_uninit;
		break;
	default:
		return cri_fail(EINVAL);
	}
	if (flags < CR_HOLD_READ || flags > last)
		return cri_fail(EINVAL);
	old = (int)*setting;
	if (flags != CR_HOLD_READ)
		*setting = (uint32_t)flags;
	return old;
}

/* SPDX-License-Identifier: Apache-2.0
 * What the files of libcr share. The course of a request is told in Docs/design/libcr.md.
 */
#ifndef CR_H
#define CR_H

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "atomic.h"
#include "block.h"
#pragma GCC visibility push(default)
#include "libcr.h"
#pragma GCC visibility pop
#include "syscall.h"

/* Clients of one thread whose critical sections are counted each on its own. */
#define CRI_CLIENTS 16

struct cri_callback {
	cr_callback_t func; /* NULL: disabled */
	void *arg;
};

struct cri_callbacks {
	struct cri_callback *entries;
	unsigned count, capacity;
};

/* One callback in progress. They nest: each runs inside the cr_checkpoint() of the one before. */
struct cri_frame {
	struct cri_frame *outer;
	unsigned index;
	int has_called; /* cr_checkpoint() */
};

/* All callbacks of one thread for one request, in progress. */
struct cri_run {
	int context; /* CR_THREAD_CONTEXT or CR_SIGNAL_CONTEXT */
	unsigned begun; /* callbacks that were begun or passed over */
	unsigned count; /* when it began; later ones are for the next request */
	struct cri_frame *frame;
	uint32_t phase; /* the block's word when it began */
	int result; /* of cr_checkpoint(), once it is known */
	int has_result, must_abort;
	struct cr_checkpoint_info checkpoint;
	struct cr_restart_info restart;
};

/* A thread's own state. Static thread-local storage, so that a handler can use it. */
struct cri_thread {
	struct cr_control_thread shared; /* what the engine reads */
	unsigned clients;
	unsigned sections[CRI_CLIENTS];
	struct cri_callbacks callbacks; /* of signal context */
	struct cri_run *run;
	uint32_t served;   /* phase word of the request that this thread has run its callbacks for */
	uint32_t deferred; /* … of one that waits for the end of a section, or of a call; 0: none */
	int changing;      /* > 0: between the lock and the count of sections (lock.c) */
	int stays;         /* where it has left its last section, until the engine has come */
	int is_server;
	int persist, endings;
};

extern CR_HIDDEN _Thread_local struct cri_thread cri_self
	__attribute__((__tls_model__("initial-exec")));

/* Held by who has asked the engine for more processes, until it has answered. */
extern CR_HIDDEN cr_spinlock_t cri_forward_guard;

/* Protects the list of threads, the thread-context callbacks and the list of requests. Taken with
 * all signals blocked. */
extern CR_HIDDEN cr_spinlock_t cri_guard;

typedef uint64_t cri_mask;
CR_HIDDEN cri_mask cri_block_signals(void);
CR_HIDDEN void cri_restore_signals(cri_mask mask);
CR_HIDDEN void cri_unblock_own_signal(void);

/* Takes and frees cri_guard, with signals blocked in between. */
CR_HIDDEN cri_mask cri_enter_guard(void);
CR_HIDDEN void cri_leave_guard(cri_mask mask);

static inline int cri_fail(int error)
{
	errno = error;
	return -1;
}

static inline pid_t cri_process(void)
{
	return (pid_t)cr_raw_call(SYS_getpid, 0, 0, 0, 0, 0, 0);
}

static inline pid_t cri_task(void)
{
	return (pid_t)cr_raw_call(SYS_gettid, 0, 0, 0, 0, 0, 0);
}

/* The calling thread may use the library. */
static inline int cri_is_ready(void)
{
	return (cri_self.shared.flags & CR_THREAD_INIT) || cri_self.is_server;
}

/* futex(2) with the private flag if `private`; at most `milliseconds`. 0, or -errno. */
CR_HIDDEN int cri_wait_word(cri_word *word, uint32_t value, unsigned milliseconds, int private);
CR_HIDDEN void cri_wake_word(cri_word *word, int private);

/* Whether there is memory: where it is documented, a wrong pointer is an error. */
CR_HIDDEN int cri_is_readable(const void *place);

/* Has a child made by fork() begin with nothing. 0, or an error number. */
CR_HIDDEN int cri_watch_forks(void);

/* The two-class lock (lock.c). */
CR_HIDDEN void cri_lock_run(void);
CR_HIDDEN void cri_unlock_run(void);
CR_HIDDEN void cri_drop_sections(void);
/* Lets sections begin again; also for a thread that ends in a callback that it was called for there. */
CR_HIDDEN void cri_end_stay(void);

/* Tells the engine, and returns once it lets this thread go on: 1, or 0 if there is no engine. */
CR_HIDDEN int cri_arrive(int kind, int flags);

/* The same within these two, which keep the handler in its place meanwhile: the last one to leave
 * gives CR_SIGNUM back to the application, if an engine has displaced its action. */
CR_HIDDEN void cri_begin_arrivals(void);
CR_HIDDEN void cri_end_arrivals(void);
CR_HIDDEN void cri_restore_action(void);

/* Runs this thread's callbacks for the request in hand (run.c). */
CR_HIDDEN void cri_serve(int context, uint32_t phase);
CR_HIDDEN void cri_called(void);
CR_HIDDEN void cri_serve_deferred(void);
/* A thread that ends in the midst of its callbacks says that they are done. */
CR_HIDDEN void cri_abandon_run(void);
/* Forgets a thread that ends. */
CR_HIDDEN void cri_end_thread(void);

/* Copies a thread-context callback; 0 if there is none with this index. */
CR_HIDDEN int cri_thread_callback(unsigned index, struct cri_callback *callback);
CR_HIDDEN unsigned cri_thread_callback_count(void);
CR_HIDDEN void cri_forget_callbacks(void);
CR_HIDDEN void cri_forget_requests(void);
CR_HIDDEN void cri_run_hook(cr_hook_event_t event);

#endif

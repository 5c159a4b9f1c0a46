/* SPDX-License-Identifier: Apache-2.0
 * libcr: lets a program take part in its checkpoints, and ask for them.
 *
 * A call that fails returns a negative number, or what its comment says, and sets errno to a system
 * error number or to one of blcr_errcodes.h. Unless a comment says otherwise the calling thread must
 * have called cr_init() (else CR_ENOINIT). The manual is libcr(3).
 */
#ifndef LIBCR_H
#define LIBCR_H 1

#include <sys/time.h>
#include <sys/types.h>
#include <blcr_common.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define CR_DEPRECATED __attribute__((__deprecated__))
#else
#define CR_DEPRECATED
#endif

#define CR_RELEASE_MAJOR 0
#define CR_RELEASE_MINOR 9
#define CR_RELEASE_PATCHLEVEL 0
#define LIBCR_MAJOR 0
#define LIBCR_MINOR 5
#define LIBCR_PATCH 5

/* An anchor: `-u cr_link_me` makes a linker take the library from its static archive. */
extern int cr_link_me;

/* ---- Threads ------------------------------------------------------------------------------- */

typedef int cr_client_id_t;

/* Prepares the calling thread. The id (0 or more) is valid in this thread only. A child made by
 * fork() starts without: whoever wants to use the library there calls cr_init() again. */
cr_client_id_t cr_init(void);

/* Keep the calling thread's state of the library alive while other destructors of thread-specific
 * data still use it, and stop doing so. Both return the count as it was before; -1 CR_ENOINIT,
 * ERANGE. */
int cr_inc_persist(void);
int cr_dec_persist(void);

#define CR_STATE_IDLE    0 /* nobody wants a checkpoint */
#define CR_STATE_PENDING 1 /* one waits for critical sections to end */
#define CR_STATE_ACTIVE  2 /* callbacks run */

/* One of CR_STATE_*. May be called in a signal handler. */
int cr_status(void);

/* ---- Callbacks ----------------------------------------------------------------------------- */

typedef int (*cr_callback_t)(void *);
typedef int cr_callback_id_t;

#define CR_MAX_CALLBACKS  0x1FFFFFF
/* Exactly one of these says where a callback runs: in a thread of the library's own, where any
 * function may be called; or in the thread that registered it, perhaps in a signal handler. */
#define CR_SIGNAL_CONTEXT 0x2000000
#define CR_THREAD_CONTEXT 0x4000000

/* Registers a callback for all later checkpoints. In signal context those of a thread run last
 * registered first. Returns an id; -1 CR_ENOINIT, EINVAL, ENOMEM, ENOSPC, EBUSY (in a callback). */
cr_callback_id_t cr_register_callback(cr_callback_t func, void *arg, int flags);

/* Puts another callback in the place of one; NULL disables it. 0, or -1 CR_ENOINIT, EINVAL,
 * EBUSY (in a callback, where cr_replace_self() does it for the running one; -1 CR_ENOTCB). */
int cr_replace_callback(cr_callback_id_t id, cr_callback_t func, void *arg, int flags);
int cr_replace_self(cr_callback_t func, void *arg, int flags);

#define CR_CHECKPOINT_READY        0x0 /* go on with it */
#define CR_CHECKPOINT_TEMP_FAILURE 0x1 /* call it off; everybody goes on */
#define CR_CHECKPOINT_PERM_FAILURE 0x2 /* call it off and kill every process of the request */
#define CR_CHECKPOINT_OMIT         0x4 /* leave this process out */
/* The two failures with a number of the caller's own, 1…65535, which the requester gets as errno. */
#define CR_CHECKPOINT_TEMP_FAILURE_CODE(v) (CR_CHECKPOINT_TEMP_FAILURE | ((v) << 16))
#define CR_CHECKPOINT_PERM_FAILURE_CODE(v) (CR_CHECKPOINT_PERM_FAILURE | ((v) << 16))

/* Called by a callback when it is ready: the checkpoint happens inside this call. Returns 0 when
 * the program simply goes on, a positive number when it has been restarted, and the negative of an
 * error number when there was no checkpoint: -CR_ETEMPFAIL, -CR_EPERMFAIL, -CR_EOMITTED, the negative
 * of a callback's own number; -CR_ENOTCB outside a callback. Callbacks of the same context that have
 * not begun are not begun any more unless `flags` is CR_CHECKPOINT_READY. A callback that returns
 * without this call counts as ready then. */
int cr_checkpoint(int flags);

struct cr_checkpoint_info {
	int         signal;    /* to be sent after the checkpoint */
	const char *dest;      /* path of the context file, "" if it has none */
	pid_t       requester; /* who asked */
	pid_t       target;    /* for what, in the terms of scope */
	cr_scope_t  scope;
};

struct cr_restart_info {
	pid_t       requester; /* who asked for the restart */
	const char *src;       /* path of the context file, "" if it has none */
};

/* About the checkpoint a callback is called for, and about the restart after it; valid until the
 * callback returns. NULL outside a callback; the second NULL unless there was a restart. */
const struct cr_checkpoint_info *cr_get_checkpoint_info(void);
const struct cr_restart_info *cr_get_restart_info(void);

/* In a callback, before its cr_checkpoint(): takes further processes into the checkpoint. Those
 * that are in it already stay in it once. -1 CR_ENOTCB, EINVAL, ESRCH, EPERM, EBUSY. */
int cr_forward_checkpoint(cr_scope_t scope, pid_t target);

typedef enum {
	CR_HOOK_CONT_SIGNAL_CONTEXT,  /* going on, in a thread with signal-context callbacks */
	CR_HOOK_CONT_THREAD_CONTEXT,  /* going on, in the thread of the thread-context callbacks */
	CR_HOOK_CONT_NO_CALLBACKS,    /* going on, in every other thread */
	CR_HOOK_RSTRT_SIGNAL_CONTEXT, /* the same after a restart */
	CR_HOOK_RSTRT_THREAD_CONTEXT,
	CR_HOOK_RSTRT_NO_CALLBACKS,
	CR_NUM_HOOKS
} cr_hook_event_t;

typedef void (*cr_hook_fn_t)(cr_hook_event_t);
#define CR_HOOK_FN_ERROR ((cr_hook_fn_t)(~0UL))

/* Has `func` called in each thread that meets the event, before cr_checkpoint() returns in it; one
 * per event and process, NULL for none. Returns the one before; CR_HOOK_FN_ERROR EINVAL,
 * CR_ENOINIT. */
cr_hook_fn_t cr_register_hook(cr_hook_event_t event, cr_hook_fn_t func);

#define CR_HOLD_SCOPE_THREAD 0 /* the calling thread */
#define CR_HOLD_SCOPE_INIT   1 /* threads that called cr_init() and have CR_HOLD_DFLT */
#define CR_HOLD_SCOPE_UNINIT 2 /* all other threads */
#define CR_HOLD_READ (-1)
#define CR_HOLD_NONE   0
#define CR_HOLD_CONT   1
#define CR_HOLD_RSTRT  2
#define CR_HOLD_BOTH   3
#define CR_HOLD_DFLT   4 /* as CR_HOLD_SCOPE_INIT says; for CR_HOLD_SCOPE_THREAD only */

/* Whether threads without callbacks stand still until all callbacks have returned, when a program
 * goes on (CONT) and after a restart (RSTRT). At first: DFLT for threads, BOTH for the other two.
 * Returns the value before; -1 CR_ENOINIT, EINVAL. May be called in a signal handler. */
int cr_hold_ctrl(int scope, int flags);

/* ---- Critical sections --------------------------------------------------------------------- */

/* In a callback: the client that critical sections are no matter for. */
#define CR_ID_CALLBACK ((cr_client_id_t)(-1))

/* No checkpoint happens while any thread is in a critical section. They count, per id, and ids may
 * overlap. Entering may wait for a checkpoint that happens; with `try` it returns a positive number
 * instead. When the last one is left, a checkpoint that waited for it happens before the call
 * returns. 0, or -1 CR_ENOINIT, EINVAL. May be called in a signal handler. */
int cr_enter_cs(cr_client_id_t id);
int cr_tryenter_cs(cr_client_id_t id);
int cr_leave_cs(cr_client_id_t id);

/* Spin locks that may be used in callbacks, in signal handlers and without cr_init(). Do not take
 * one that the same thread has. trylock: non-zero if it is ours now. */
typedef unsigned int cr_spinlock_t;
#define CR_SPINLOCK_INITIALIZER 0U
void cr_spinlock_init(cr_spinlock_t *lock);
void cr_spinlock_lock(cr_spinlock_t *lock);
void cr_spinlock_unlock(cr_spinlock_t *lock);
int cr_spinlock_trylock(cr_spinlock_t *lock);

/* ---- Requests; these need no cr_init() ----------------------------------------------------- */

#define CR_CHECKPOINT_ARGS_VERSION 1
#define CR_RESTART_ARGS_VERSION    1

typedef struct {
	cr_version_t cr_version;
	cr_scope_t   cr_scope;
	pid_t        cr_target;  /* in the terms of cr_scope; 0: ourselves */
	int          cr_fd;      /* where the context goes: a file, a pipe or a socket */
	int          cr_signal;  /* sent to each process afterwards; 0: none */
	unsigned int cr_timeout; /* seconds after which it is called off; 0: never */
	unsigned int cr_flags;   /* CR_CHKPT_* */
} cr_checkpoint_args_t;

typedef struct {
	cr_version_t cr_version;
	int          cr_fd;
	int          cr_signal;
	unsigned int cr_flags;   /* CR_RSTRT_* */
	struct cr_rstrt_relocate *cr_relocate;
} cr_restart_args_t;

typedef unsigned long cr_checkpoint_handle_t;
typedef unsigned long cr_restart_handle_t;

/* Defaults for every field, whatever a later version adds. 0, or -1 EINVAL, CR_EVERSION. */
#define cr_initialize_checkpoint_args_t(args) \
	cri_init_checkpoint_args_t(CR_CHECKPOINT_ARGS_VERSION, (args))
#define cr_initialize_restart_args_t(args) \
	cri_init_restart_args_t(CR_RESTART_ARGS_VERSION, (args))
int cri_init_checkpoint_args_t(cr_version_t version, cr_checkpoint_args_t *args);
int cri_init_restart_args_t(cr_version_t version, cr_restart_args_t *args);

/* Begins a checkpoint. 0, or -1 with ESRCH, EPERM, EBADF, EINVAL, EBUSY, EDEADLK, CR_ENOSUPPORT,
 * CR_EPTRACED, CR_EPTRACER, CR_EVERSION, or what starting a process gives. */
int cr_request_checkpoint(cr_checkpoint_args_t *args, cr_checkpoint_handle_t *handle);

/* Waits for the end of it, NULL: for ever. Positive: it has ended; 0: the time is over; -1 EINTR,
 * EINVAL, EFAULT. */
int cr_wait_checkpoint(cr_checkpoint_handle_t *handle, struct timeval *timeout);

/* Copies what was said about it, up to `len` bytes with the NUL. Returns the bytes that all of it
 * needs, 0 if nothing was said; -1 EINVAL, EFAULT. */
int cr_log_checkpoint(cr_checkpoint_handle_t *handle, unsigned int len, char *buffer);

/* Its result, which ends the handle. Positive: done. -1: EAGAIN, it has not ended (the handle
 * stays); CR_ERESTARTED, it succeeded, and we are running again from it; ESRCH, all targets left
 * themselves out; CR_ETEMPFAIL, CR_EPERMFAIL, a callback's own number; what writing gave. */
int cr_reap_checkpoint(cr_checkpoint_handle_t *handle);

#define CR_POLL_CHKPT_ERR_PRE  (-1) /* waiting failed; the handle stays */
#define CR_POLL_CHKPT_ERR_POST (-2) /* the request failed; the handle is gone */
#define CR_POLL_CHKPT_ERR_LOG  (-3) /* fetching the messages failed; the handle stays */

/* Wait, log and reap in one. 0: the time is over. *msg is NULL or to be freed. */
int cr_poll_checkpoint_msg(cr_checkpoint_handle_t *handle, struct timeval *timeout, char **msg);
int cr_poll_checkpoint(cr_checkpoint_handle_t *handle, struct timeval *timeout);

/* The same for a restart. The root of the restarted processes becomes a child of the caller; the
 * reap returns its pid. */
int cr_request_restart(cr_restart_args_t *args, cr_restart_handle_t *handle);
int cr_wait_restart(cr_restart_handle_t *handle, struct timeval *timeout);
int cr_log_restart(cr_restart_handle_t *handle, unsigned int len, char *buffer);
int cr_reap_restart(cr_restart_handle_t *handle);

#define CR_POLL_RSTRT_ERR_PRE  (-1)
#define CR_POLL_RSTRT_ERR_POST (-2)
#define CR_POLL_RSTRT_ERR_LOG  (-3)
int cr_poll_restart_msg(cr_restart_handle_t *handle, struct timeval *timeout, char **msg);
int cr_poll_restart(cr_restart_handle_t *handle, struct timeval *timeout);

/* Checkpoint the calling process into context.PID of the working directory, a file, a descriptor.
 * They say nothing of their success: use cr_request_checkpoint(). */
void cr_request(void) CR_DEPRECATED;
void cr_request_file(const char *path) CR_DEPRECATED;
void cr_request_fd(int fd) CR_DEPRECATED;

/* As strerror(), and for the numbers of blcr_errcodes.h. */
const char *cr_strerror(int number);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* The module's own nouns: a session (an open file), its processes, and their threads. */
#ifndef BLCR_H
#define BLCR_H

#include <linux/kernel.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/proc_fs.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "blcr_config.h"
#include "blcr_uapi.h"
#include "work.h"

/*
 * One lock for who belongs to whom and for the states of all; nobody sleeps under it, and no interrupt takes it.
 * Order: session->mutex, thread->access, cr_lock.
 */
extern spinlock_t cr_lock;

struct cr_session {
	struct kref references;
	struct mutex mutex; /* one operation at a time */
	wait_queue_head_t news;
	struct list_head processes;
	bool greeted;
	bool ended;
};

struct cr_process {
	struct kref references;
	struct list_head in_session;
	struct list_head threads;
	struct cr_session *session;
	struct pid *id;
	struct task_struct *leader; /* by which it is known, also after an exec of another thread */
	bool is_new;
	bool is_listed;
	int stop_signal;
	unsigned int present; /* threads that have neither left nor ended */
	struct {
		unsigned long start, bell, end;
		const struct mm_struct *mm; /* NULL: none. Compared, never followed. */
		bool borrowed;
	} scratch;
};

enum cr_state {
	CR_COMING,  /* asked to stand */
	CR_PARKED,
	CR_MOVING,  /* follows an order */
	CR_CALLING, /* out for a call, to come back by the bell */
	CR_RUNNING,
	CR_LEFT,
};

enum cr_order { CR_STAY, CR_MAP, CR_UNMAP, CR_CALL, CR_GO_RUN, CR_LEAVE };

struct cr_thread {
	struct hlist_node by_task;
	struct rcu_head rcu;
	struct list_head in_process;
	struct cr_process *process;
	struct task_struct *task;
	struct pid *id;
	refcount_t references;
	struct callback_head park, recall;
	wait_queue_head_t wait;
	/* Whoever looks at a parked thread has it; the thread itself takes it before it moves. */
	struct mutex access;
	enum cr_state state;
	enum cr_order order;
	unsigned long switches;
	bool is_hashed, is_present, is_queued, has_ended, is_told, is_traced;
	bool has_called;
	int value;
	unsigned long address; /* for CR_MAP, CR_UNMAP */
	long result;
	/* Calls. */
	bool has_rung, has_executed, was_traced, was_filtered, has_saved_mask;
	int next_pid;
	unsigned int count, done;
	struct pt_regs *frames;
	struct pt_regs before;
	struct restart_block restart;
	sigset_t mask, saved_mask;
};

/* session.c */
extern const struct proc_ops cr_control_operations;
void cr_session_free(struct kref *references);
static inline void cr_session_put(struct cr_session *session)
{
	kref_put(&session->references, cr_session_free);
}

/* permission.c */
int cr_may_hold(struct task_struct *task);
int cr_may_choose(struct task_struct *parent);

/* thread.c: the registry */
struct cr_thread *cr_thread_of(struct task_struct *task); /* under cr_lock; no reference */
struct cr_thread *cr_thread_of_caller(void);
struct cr_thread *cr_thread_find(struct cr_session *session, int tid);
struct cr_thread *cr_thread_make(struct task_struct *task, gfp_t flags);
void cr_thread_enter(struct cr_thread *thread, struct cr_process *process, enum cr_state state); /* under cr_lock */
void cr_thread_hide(struct cr_thread *thread); /* under cr_lock */
void cr_thread_notice(struct cr_thread *thread); /* under cr_lock: its end, if it cannot tell */
void cr_thread_leave(struct cr_thread *thread); /* under cr_lock: out of the registry */
void cr_thread_end(struct cr_thread *thread);
void cr_thread_put(struct cr_thread *thread);
/* The parked thread, still and locked; what it returns must be given back. */
struct cr_thread *cr_thread_lock(struct cr_session *session, int tid);
void cr_thread_unlock(struct cr_thread *thread);
void cr_thread_order(struct cr_thread *thread, enum cr_order order); /* under cr_lock */
int cr_thread_ask(struct cr_thread *thread); /* under cr_lock: to stand */
bool cr_thread_stands(const struct cr_thread *thread);

/* process.c */
struct cr_process *cr_process_make(struct task_struct *leader, gfp_t flags);
struct cr_process *cr_process_of(struct cr_session *session, struct task_struct *task); /* under cr_lock */
struct cr_process *cr_process_find(struct cr_session *session, int pid);
void cr_process_put(struct cr_process *process);
void cr_process_notice(struct cr_process *process); /* ends of its threads */
void cr_process_drop(struct cr_process *process); /* lets it go */
int cr_process_order(struct cr_process *process, enum cr_order order, unsigned long address);

/* hold.c */
long cr_hold(struct cr_session *session, struct cr_hold *request);
long cr_list(struct cr_session *session, struct cr_threads *request);

/* release.c, news.c */
long cr_release_all(struct cr_session *session, struct cr_release *request);
long cr_run(struct cr_session *session, struct cr_run *request);
void cr_session_end(struct cr_session *session);
long cr_news(struct cr_session *session, struct cr_news *request);

/* park.c: what happens in the threads themselves */
void cr_park(struct callback_head *work);
void cr_recall(struct callback_head *work);

/* calls.c */
long cr_make_calls(struct cr_session *session, struct cr_calls *request);
void cr_calls_begin(struct cr_thread *thread);
bool cr_calls_step(struct cr_thread *thread); /* whether another one is to be made */
void cr_calls_end(struct cr_thread *thread);

/* place.c */
long cr_place_map(struct cr_thread *thread);
long cr_scratch(struct cr_session *session, struct cr_scratch *request);

/* birth.c */
int cr_births_watch(void);
void cr_births_ignore(void);
bool cr_birth(struct cr_session *session); /* the current task, born by a call */
long cr_enroll(struct cr_session *session);
long cr_await(struct cr_session *session, struct cr_await *request);
long cr_arrive(const struct cr_arrive *request);
long cr_next_pid(const struct cr_next_pid *request);

/* registers.c, signals.c, memory.c */
long cr_regset(struct cr_session *session, struct cr_registers *request);
const struct user_regset *cr_regset_of(struct task_struct *task, unsigned int note);
long cr_attribute(struct cr_session *session, struct cr_attribute *request);
long cr_pending(struct cr_session *session, struct cr_signals *request);
long cr_memory(struct cr_session *session, struct cr_memory *request);
long cr_save(struct cr_session *session, struct cr_save *request);

#endif

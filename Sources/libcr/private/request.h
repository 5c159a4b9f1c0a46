/* SPDX-License-Identifier: Apache-2.0
 * A request of this program, carried out by a tool that runs beside it.
 */
#ifndef CR_REQUEST_H
#define CR_REQUEST_H

#include "cr.h"

#define CRI_LOG_SIZE   (16 << 10)
#define CRI_WORDS_SIZE (24 << 10)
#define CRI_STACK_SIZE (24 << 10)
#define CRI_MAX_WORDS  64

enum cri_kind { CRI_CHECKPOINT = 1, CRI_RESTART = 2 };

enum cri_stage {
	CRI_LAUNCHED = 1, /* the tool has been started, and nothing of ours is read any more */
	CRI_ACCEPTED = 2  /* it has accepted the request, or has failed */
};

/* One mapping per request, with the stack of the helper that writes the answers into it. */
struct cri_request {
	struct cri_request *next;
	enum cri_kind kind;
	/* The helper's tid; the kernel clears it and wakes whoever waits when the helper ends, by
	 * whatever death (CLONE_CHILD_CLEARTID). */
	cri_word helper;
	cri_word stage;      /* enum cri_stage */
	unsigned users;      /* calls that are in the midst of it, under the guard */
	int is_over;         /* reaped: the last user frees it */
	uint32_t generation; /* the block's when it was made */
	unsigned slot;       /* in the block's helpers */
	pid_t process;       /* of the helper, for wait4(2) */
	pid_t requester;     /* the process that asks */
	pid_t tool;
	int has_watch;       /* of the requester's end */
	int is_orphan;       /* the requester has ended */
	int is_accepted;     /* by the tool; what fails afterwards is the reap's to tell */
	int has_result;
	int error;           /* the result: 0 or an error number */
	pid_t root;
	int context;         /* the descriptor of the context file */
	int is_permitted;    /* counted among those whose helper may trace us */
	int takes_orphans;   /* counted among the restarts that we are a subreaper for */
	char **environment;
	unsigned log_count;
	char log[CRI_LOG_SIZE];
	/* The tool's path and arguments. */
	char *arguments[CRI_MAX_WORDS + 1];
	unsigned argument_count;
	char words[CRI_WORDS_SIZE];
	unsigned words_used;
	_Alignas(64) unsigned char stack[CRI_STACK_SIZE];
};

/* A new request with no arguments, or NULL and errno. */
CR_HIDDEN struct cri_request *cri_make_request(enum cri_kind kind);
/* Of one that nobody else knows. */
CR_HIDDEN void cri_free_request(struct cri_request *request);
CR_HIDDEN void cri_list_request(struct cri_request *request);
/* The request behind a handle, for the caller to use until it calls cri_leave_request(); NULL and errno. */
CR_HIDDEN struct cri_request *cri_use_request(const unsigned long *handle, enum cri_kind kind);
/* The last one to leave a request that is over frees it. */
CR_HIDDEN void cri_leave_request(struct cri_request *request);
/* Ends the handle: 0 if another thread has done so. */
CR_HIDDEN int cri_end_request(struct cri_request *request);
/* Lets its helper trace us where the kernel restricts who may trace whom (Yama). */
CR_HIDDEN void cri_permit_helper(struct cri_request *request, pid_t helper);
/* Makes us the one that the restarted root comes to when the tool below which it is born ends; while
 * there are restarts under way. */
CR_HIDDEN void cri_take_orphans(struct cri_request *request);

/* Appends an argument made of two pieces; the first argument is the tool's path. */
CR_HIDDEN void cri_add_word(struct cri_request *request, const char *text, const char *more);
CR_HIDDEN void cri_add_number(struct cri_request *request, const char *text, long number);

/* Sets the tool going: when this returns it runs. 0, or an error number. */
CR_HIDDEN int cri_start_helper(struct cri_request *request);
/* 1: it has ended; 0: the time is over; -1: EINTR. A point at which threads are cancelled if `may_cancel`. */
CR_HIDDEN int cri_wait_request(
	struct cri_request *request, const struct timeval *timeout, int may_cancel);
/* Waits until the request has come to this stage, or has ended. */
CR_HIDDEN void cri_wait_stage(struct cri_request *request, enum cri_stage stage);
CR_HIDDEN int cri_has_ended(const struct cri_request *request);

#endif

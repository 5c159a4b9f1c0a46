/* SPDX-License-Identifier: Apache-2.0
 * Requests: what they are made of, how they are waited for, and how they end.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include "request.h"

static struct cri_request *requests;

/* Restarts under way, and PR_GET_CHILD_SUBREAPER before the first of them. */
static unsigned restarts;
static int was_subreaper;

/* Requests whose helpers may trace us, and whether they may as descendants of ours. */
static unsigned permitted;
static int permits_descendants;

/* A waiter looks up this often, since a restart wakes nobody. */
#define SLICE 200 /* ms */
#define FOREVER 1000000000 /* s; so that microseconds fit */
#define WALL  0x40000000 /* __WALL */

struct cri_request *cri_make_request(enum cri_kind kind)
{
	struct cri_request *request = mmap(NULL, sizeof *request, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (request == MAP_FAILED)
		return NULL;
	request->kind = kind;
	return request;
}

void cri_list_request(struct cri_request *request)
{
	cri_mask mask = cri_enter_guard();

	request->next = requests;
	requests = request;
	cri_leave_guard(mask);
}

struct cri_request *cri_use_request(const unsigned long *handle, enum cri_kind kind)
{
	struct cri_request *request;
	cri_mask mask;

	if (!handle || !cri_is_readable(handle)) {
		errno = handle ? EFAULT : EINVAL;
		return NULL;
	}
	mask = cri_enter_guard();
	request = requests;
	while (request && (unsigned long)request != *handle)
		request = request->next;
	/* In a copy of the process that did not tell us of its birth it is the parent's. */
	if (request && (request->kind != kind || (request->requester != cri_process()
	    && request->generation == cri_block.generation)))
		request = NULL;
	if (request)
		request->users++;
	cri_leave_guard(mask);
	if (!request)
		errno = EINVAL;
	return request;
}

void cri_leave_request(struct cri_request *request)
{
	cri_mask mask = cri_enter_guard();
	int is_last = !--request->users && request->is_over;

	cri_leave_guard(mask);
	if (is_last)
		cri_free_request(request);
}

int cri_end_request(struct cri_request *request)
{
	cri_mask mask = cri_enter_guard();
	struct cri_request **link = &requests;

	while (*link && *link != request)
		link = &(*link)->next;
	request->is_over = 1;
	if (!*link) {
		cri_leave_guard(mask);
		return 0;
	}
	*link = request->next;
	cri_leave_guard(mask);
	return 1;
}

void cri_free_request(struct cri_request *request)
{
	/* After a restart its helper is not there any more. */
	int has_helper = request->process && request->generation == cri_block.generation;
	cri_mask mask;

	/* Nobody else can wait for it: it has no exit signal. Not by waitpid(3), where a thread may be cancelled. */
	while (has_helper && cr_raw_call(SYS_wait4, request->process, 0, WALL, 0, 0, 0) == -EINTR)
		;
	mask = cri_enter_guard();
	if (has_helper)
		cri_block.helpers[request->slot] = 0;
	if (request->is_permitted && !--permitted && permits_descendants) {
		prctl(PR_SET_PTRACER, 0, 0, 0, 0);
		permits_descendants = 0;
	}
	if (request->takes_orphans && !--restarts && !was_subreaper)
		prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
	cri_leave_guard(mask);
	munmap(request, sizeof *request);
}

/* Yama takes one process, whose descendants may trace us, too: the last one that was named. What has two helpers in
 * it, and nobody else's children, are we ourselves. A helper that ends takes its permission with it. */
void cri_permit_helper(struct cri_request *request, pid_t helper)
{
	cri_mask mask = cri_enter_guard();

	request->is_permitted = 1;
	permits_descendants = ++permitted > 1;
	prctl(PR_SET_PTRACER, permits_descendants ? cri_process() : helper, 0, 0, 0);
	cri_leave_guard(mask);
}

void cri_take_orphans(struct cri_request *request)
{
	cri_mask mask = cri_enter_guard();

	if (!restarts++)
		prctl(PR_GET_CHILD_SUBREAPER, &was_subreaper, 0, 0, 0);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	request->takes_orphans = 1;
	cri_leave_guard(mask);
}

/* In a child: the requests are its parent's. */
void cri_forget_requests(void)
{
	struct cri_request *request = requests;

	while (request) {
		struct cri_request *next = request->next;

		munmap(request, sizeof *request);
		request = next;
	}
	requests = NULL;
	restarts = 0;
	permitted = 0;
	permits_descendants = 0;
}

void cri_add_word(struct cri_request *request, const char *text, const char *more)
{
	size_t first = strlen(text), second = strlen(more);

	if (request->argument_count == CRI_MAX_WORDS
	    || first + second + 1 > CRI_WORDS_SIZE - request->words_used) {
		request->error = E2BIG;
		return;
	}
	request->arguments[request->argument_count++] = request->words + request->words_used;
	memcpy(request->words + request->words_used, text, first);
	memcpy(request->words + request->words_used + first, more, second + 1);
	request->words_used += (unsigned)(first + second + 1);
}

void cri_add_number(struct cri_request *request, const char *text, long number)
{
	char digits[24];

	snprintf(digits, sizeof digits, "%ld", number);
	cri_add_word(request, text, digits);
}

int cri_has_ended(const struct cri_request *request)
{
	return !cri_load((cri_word *)&request->helper) || request->generation != cri_block.generation;
}

void cri_wait_stage(struct cri_request *request, enum cri_stage stage)
{
	uint32_t helper;

	while (cri_load(&request->stage) < stage && !cri_has_ended(request)) {
		helper = cri_load(&request->helper);
		if (helper)
			cri_wait_word(&request->helper, helper, 2, 0);
	}
}

int cri_wait_request(struct cri_request *request, const struct timeval *timeout, int may_cancel)
{
	struct timespec now;
	int64_t end = 0, left = SLICE;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (timeout)
		end = now.tv_sec * 1000000ll + now.tv_nsec / 1000 + timeout->tv_usec
			+ (timeout->tv_sec < FOREVER ? timeout->tv_sec : FOREVER) * 1000000ll;
	for (;;) {
		uint32_t helper = cri_load(&request->helper);
		int result;

		if (may_cancel)
			pthread_testcancel();
		if (cri_has_ended(request))
			return 1;
		if (timeout) {
			clock_gettime(CLOCK_MONOTONIC, &now);
			left = (end - (now.tv_sec * 1000000ll + now.tv_nsec / 1000) + 999) / 1000;
			if (left <= 0)
				return 0;
		}
		result = cri_wait_word(&request->helper, helper,
			(unsigned)(left < SLICE ? left : SLICE), 0);
		/* A restart ends such a wait too. */
		if (result == -EINTR && !cri_has_ended(request))
			return cri_fail(EINTR);
	}
}

static void leave(void *request)
{
	cri_leave_request(request);
}

static int wait_handle(const unsigned long *handle, struct timeval *timeout, enum cri_kind kind)
{
	struct cri_request *request;
	int result;

	if (timeout && !cri_is_readable(timeout))
		return cri_fail(EFAULT);
	if (timeout && (timeout->tv_sec < 0 || timeout->tv_usec < 0 || timeout->tv_usec >= 1000000))
		return cri_fail(EINVAL);
	request = cri_use_request(handle, kind);
	if (!request)
		return -1;
	pthread_cleanup_push(leave, request);
	result = cri_wait_request(request, timeout, 1);
	pthread_cleanup_pop(1);
	return result;
}

/* The bytes that all of it needs, with its NUL; or -errno. */
static int copy_log(const struct cri_request *request, unsigned length, char *buffer)
{
	unsigned count = request->log_count;

	if (!count)
		return 0;
	if (length) {
		if (!buffer)
			return -EFAULT;
		if (--length > count)
			length = count;
		memcpy(buffer, request->log, length);
		buffer[length] = 0;
	}
	return (int)count + 1;
}

static int log_handle(
	const unsigned long *handle, unsigned length, char *buffer, enum cri_kind kind)
{
	struct cri_request *request = cri_use_request(handle, kind);
	int count;

	if (!request)
		return -1;
	count = copy_log(request, length, buffer);
	cri_leave_request(request);
	return count < 0 ? cri_fail(-count) : count;
}

static int result_of(const struct cri_request *request)
{
	if (request->generation != cri_block.generation)
		return CR_ERESTARTED;
	return request->has_result ? request->error : CR_ETEMPFAIL;
}

static int reap_handle(unsigned long *handle, enum cri_kind kind)
{
	struct cri_request *request = cri_use_request(handle, kind);
	int error;
	pid_t root;

	if (!request)
		return -1;
	if (!cri_has_ended(request))
		error = EAGAIN;
	else if (cri_end_request(request))
		error = result_of(request);
	else
		error = EINVAL;
	root = request->root;
	if (request->is_over)
		*handle = 0;
	cri_leave_request(request);
	if (error)
		return cri_fail(error);
	return kind == CRI_RESTART ? root : 1;
}

static int poll_handle(
	unsigned long *handle, struct timeval *timeout, char **message, enum cri_kind kind)
{
	int result = wait_handle(handle, timeout, kind);
	int count;

	if (message)
		*message = NULL;
	if (result < 0)
		return CR_POLL_CHKPT_ERR_PRE;
	if (!result)
		return 0;
	if (message) {
		count = log_handle(handle, 0, NULL, kind);
		if (count > 0) {
			*message = malloc((size_t)count);
			if (!*message)
				return CR_POLL_CHKPT_ERR_LOG;
			log_handle(handle, (unsigned)count, *message, kind);
		}
	}
	result = reap_handle(handle, kind);
	return result < 0 ? CR_POLL_CHKPT_ERR_POST : result;
}

int cr_wait_checkpoint(cr_checkpoint_handle_t *handle, struct timeval *timeout)
{
	return wait_handle(handle, timeout, CRI_CHECKPOINT);
}

int cr_log_checkpoint(cr_checkpoint_handle_t *handle, unsigned length, char *buffer)
{
	return log_handle(handle, length, buffer, CRI_CHECKPOINT);
}

int cr_reap_checkpoint(cr_checkpoint_handle_t *handle)
{
	return reap_handle(handle, CRI_CHECKPOINT);
}

int cr_poll_checkpoint_msg(cr_checkpoint_handle_t *handle, struct timeval *timeout, char **message)
{
	return poll_handle(handle, timeout, message, CRI_CHECKPOINT);
}

int cr_poll_checkpoint(cr_checkpoint_handle_t *handle, struct timeval *timeout)
{
	return poll_handle(handle, timeout, NULL, CRI_CHECKPOINT);
}

int cr_wait_restart(cr_restart_handle_t *handle, struct timeval *timeout)
{
	return wait_handle(handle, timeout, CRI_RESTART);
}

int cr_log_restart(cr_restart_handle_t *handle, unsigned length, char *buffer)
{
	return log_handle(handle, length, buffer, CRI_RESTART);
}

int cr_reap_restart(cr_restart_handle_t *handle)
{
	return reap_handle(handle, CRI_RESTART);
}

int cr_poll_restart_msg(cr_restart_handle_t *handle, struct timeval *timeout, char **message)
{
	return poll_handle(handle, timeout, message, CRI_RESTART);
}

int cr_poll_restart(cr_restart_handle_t *handle, struct timeval *timeout)
{
	return poll_handle(handle, timeout, NULL, CRI_RESTART);
}

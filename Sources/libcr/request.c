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

/* A waiter looks up this often, since a restart wakes nobody. */
#define SLICE 200 /* ms */

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

struct cri_request *cri_find_request(unsigned long handle, enum cri_kind kind)
{
	cri_mask mask = cri_enter_guard();
	struct cri_request *request = requests;

	while (request && (unsigned long)request != handle)
		request = request->next;
	/* In a copy of the process that did not tell us of its birth it is the parent's. */
	if (request && (request->kind != kind || (request->requester != cri_process()
	    && request->generation == cri_block.generation)))
		request = NULL;
	cri_leave_guard(mask);
	if (!request) {
		errno = EINVAL;
		return NULL;
	}
	return request;
}

void cri_free_request(struct cri_request *request)
{
	cri_mask mask = cri_enter_guard();
	struct cri_request **link = &requests;

	while (*link && *link != request)
		link = &(*link)->next;
	if (*link)
		*link = request->next;
	if (request->process && request->generation == cri_block.generation)
		cri_block.helpers[request->slot] = 0;
	cri_leave_guard(mask);
	/* Nobody else can: it has no exit signal. After a restart it is not there any more. */
	if (request->process && request->generation == cri_block.generation)
		while (waitpid(request->process, NULL, __WALL) < 0 && errno == EINTR)
			;
	if (request->takes_orphans) {
		mask = cri_enter_guard();
		if (!--restarts && !was_subreaper)
			prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
		cri_leave_guard(mask);
	}
	munmap(request, sizeof *request);
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

void cri_wait_beginning(struct cri_request *request)
{
	uint32_t helper;

	while (!cri_load(&request->has_begun) && !cri_has_ended(request)) {
		helper = cri_load(&request->helper);
		if (helper)
			cri_wait_word(&request->helper, helper, 2, 0);
	}
}

int cri_wait_request(struct cri_request *request, const struct timeval *timeout)
{
	struct timespec now;
	int64_t end = 0, left = SLICE;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (timeout)
		end = now.tv_sec * 1000000ll + now.tv_nsec / 1000 + timeout->tv_sec * 1000000ll
			+ timeout->tv_usec;
	for (;;) {
		uint32_t helper = cri_load(&request->helper);
		int result;

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

static int wait_handle(const unsigned long *handle, struct timeval *timeout, enum cri_kind kind)
{
	struct cri_request *request;

	if (!handle)
		return cri_fail(EINVAL);
	if (timeout && (timeout->tv_sec < 0 || timeout->tv_usec < 0 || timeout->tv_usec >= 1000000))
		return cri_fail(EINVAL);
	request = cri_find_request(*handle, kind);
	return request ? cri_wait_request(request, timeout) : -1;
}

static int log_handle(
	const unsigned long *handle, unsigned length, char *buffer, enum cri_kind kind)
{
	struct cri_request *request;
	unsigned count;

	if (!handle)
		return cri_fail(EINVAL);
	request = cri_find_request(*handle, kind);
	if (!request)
		return -1;
	count = request->log_count;
	if (!count)
		return 0;
	if (length) {
		if (!buffer)
			return cri_fail(EFAULT);
		if (--length > count)
			length = count;
		memcpy(buffer, request->log, length);
		buffer[length] = 0;
	}
	return (int)count + 1;
}

static int reap_handle(unsigned long *handle, enum cri_kind kind)
{
	struct cri_request *request;
	int error;
	pid_t root;

	if (!handle)
		return cri_fail(EINVAL);
	request = cri_find_request(*handle, kind);
	if (!request)
		return -1;
	if (!cri_has_ended(request))
		return cri_fail(EAGAIN);
	error = request->has_result ? request->error : CR_ETEMPFAIL;
	if (request->generation != cri_block.generation)
		error = CR_ERESTARTED;
	root = request->root;
	cri_free_request(request);
	*handle = 0;
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

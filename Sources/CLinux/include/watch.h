/* SPDX-License-Identifier: Apache-2.0
 * Signals by which libcr and an engine call each other, and the block they share.
 */
#ifndef CR_WATCH_H
#define CR_WATCH_H

#include "control/cr_control.h"

/* Where the fields of the block are. */
enum {
	CR_AT_VERSION = offsetof(struct cr_control, version),
	CR_AT_KIND = offsetof(struct cr_control, kind),
	CR_AT_SIZE = offsetof(struct cr_control, size),
	CR_AT_OWNER = offsetof(struct cr_control, owner),
	CR_AT_WANTS = offsetof(struct cr_control, wants),
	CR_AT_SERVER = offsetof(struct cr_control, server),
	CR_AT_LOCK = offsetof(struct cr_control, lock),
	CR_AT_HOLD_INIT = offsetof(struct cr_control, hold_init),
	CR_AT_HOLD_UNINIT = offsetof(struct cr_control, hold_uninit),
	CR_AT_RUNNERS = offsetof(struct cr_control, runners),
	CR_AT_THREADS = offsetof(struct cr_control, threads),
	CR_AT_FORWARD_SCOPE = offsetof(struct cr_control, forward_scope),
	CR_AT_FORWARD_TARGET = offsetof(struct cr_control, forward_target),
	CR_AT_ACTION_SIZE = offsetof(struct cr_control, action_size),
	CR_AT_ARRIVING = offsetof(struct cr_control, arriving),
	CR_AT_ACTION = offsetof(struct cr_control, action),
	CR_AT_HELPERS = offsetof(struct cr_control, helpers),
	CR_AT_PHASE = offsetof(struct cr_control, phase),
	CR_AT_OUTCOME = offsetof(struct cr_control, outcome),
	CR_AT_ERROR = offsetof(struct cr_control, error),
	CR_AT_FORWARD_RESULT = offsetof(struct cr_control, forward_result),
	CR_AT_GENERATION = offsetof(struct cr_control, generation),
	CR_AT_ANSWERS = offsetof(struct cr_control, answers),
	CR_AT_DISPLACED_SIZE = offsetof(struct cr_control, displaced_size),
	CR_AT_DISPLACED = offsetof(struct cr_control, displaced),
	CR_AT_SIGNAL = offsetof(struct cr_control, signal),
	CR_AT_REQUESTER = offsetof(struct cr_control, requester),
	CR_AT_TARGET = offsetof(struct cr_control, target),
	CR_AT_SCOPE = offsetof(struct cr_control, scope),
	CR_AT_RESTART_REQUESTER = offsetof(struct cr_control, restart_requester),
	CR_AT_DESTINATION = offsetof(struct cr_control, destination),
	CR_AT_SOURCE = offsetof(struct cr_control, source),
	CR_AT_NUMBER = offsetof(struct cr_control, number),
};

/* The value of the queued signal that a tracee is stopped by; EINVAL if it was not queued. */
int cr_queued_signal_value(int thread, int *value);
/* rt_tgsigqueueinfo(2) with a value. */
int cr_queue_thread_signal(int process, int thread, int number, int value);

#endif

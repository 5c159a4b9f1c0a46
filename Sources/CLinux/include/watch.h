/* SPDX-License-Identifier: Apache-2.0
 * Signals by which libcr and an engine call each other, and the block they share.
 */
#ifndef CR_WATCH_H
#define CR_WATCH_H

#include "control/cr_control.h"

/* The value of the queued signal that a tracee is stopped by; EINVAL if it was not queued. */
int cr_queued_signal_value(int thread, int *value);
/* rt_tgsigqueueinfo(2) with a value. */
int cr_queue_thread_signal(int process, int thread, int number, int value);

#endif

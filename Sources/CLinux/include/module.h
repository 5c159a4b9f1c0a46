/* SPDX-License-Identifier: Apache-2.0
 * The kernel module's control file, whose request numbers are macros that Swift cannot import.
 */
#ifndef CR_MODULE_H
#define CR_MODULE_H

#include "../../../kmod/uapi/blcr_uapi.h"

static inline unsigned long cr_hello_request(void) { return CR_HELLO; }
static inline unsigned long cr_hold_request(void) { return CR_HOLD; }
static inline unsigned long cr_threads_request(void) { return CR_THREADS; }
static inline unsigned long cr_registers_request(void) { return CR_REGISTERS; }
static inline unsigned long cr_attribute_request(void) { return CR_ATTRIBUTE; }
static inline unsigned long cr_signals_request(void) { return CR_SIGNALS; }
static inline unsigned long cr_scratch_request(void) { return CR_SCRATCH; }
static inline unsigned long cr_calls_request(void) { return CR_MAKE_CALLS; }
static inline unsigned long cr_memory_request(void) { return CR_MEMORY; }
static inline unsigned long cr_release_request(void) { return CR_RELEASE; }
static inline unsigned long cr_run_request(void) { return CR_RUN; }
static inline unsigned long cr_news_request(void) { return CR_NEWS; }
static inline unsigned long cr_await_request(void) { return CR_AWAIT; }
static inline unsigned long cr_save_request(void) { return CR_SAVE; }

#endif

/* SPDX-License-Identifier: Apache-2.0
 * The control block: what libcr inside a process and an engine outside of it tell each other.
 *
 * Each of the three libraries has one, in its own data. An ELF note in the same file says where, so
 * that the engine finds it in the memory of any process, static or dynamic, by looking at the first
 * page of each mapped ELF file; no symbol, no kernel option and no descriptor is needed.
 *
 * The same bytes for 32 and 64 bit processes; byte order is the process's own. The engine changes a
 * block only while every thread of the process is held still. The course of a request is described
 * in Docs/design/libcr.md.
 */
#ifndef CR_CONTROL_H
#define CR_CONTROL_H

#include <stddef.h>
#include <stdint.h>

/* The note: name "BLCR" (n_namesz 5), this type, and as description struct cr_control_note. */
#define CR_CONTROL_NOTE_TYPE 0x4352
#define CR_CONTROL_VERSION   1

enum cr_control_kind {
	CR_KIND_FULL = 1, /* libcr: look into the block */
	CR_KIND_RUN = 2,  /* libcr_run: nothing to be called, save it as it is */
	CR_KIND_OMIT = 3  /* libcr_omit: leave it out */
};

struct cr_control_note {
	uint32_t version;
	uint32_t kind;
	int32_t block; /* the block's address less this field's */
};

/* What has to be run in the process before it may be saved. */
enum cr_control_wants {
	CR_WANTS_SERVER = 1,  /* thread-context callbacks, in the thread `server` */
	CR_WANTS_SIGNALS = 2, /* signal-context callbacks, in threads with CR_THREAD_CALLBACKS */
	CR_WANTS_ALL = 4      /* every thread, for its hooks */
};

/* The stages of a request: the low byte of `phase`, above it the request's number, so that a late
 * thread can tell one request from the next. Set by the engine; IDLE also by the library when the
 * engine is gone. */
enum cr_control_phase {
	CR_PHASE_IDLE = 0,
	CR_PHASE_PENDING = 1, /* waits for critical sections to end */
	CR_PHASE_SERVER = 2,  /* thread-context callbacks may run */
	CR_PHASE_SIGNALS = 3  /* signal-context callbacks may run */
};

#define CR_PHASE(word) ((word) & 0xff)

enum cr_control_outcome {
	CR_OUTCOME_NONE = 0,
	CR_OUTCOME_CONTINUE = 1,
	CR_OUTCOME_RESTART = 2,
	CR_OUTCOME_FAILED = 3 /* with `error` */
};

/* Threads tell the engine something by sending CR_SIGNUM to themselves, which stops them under a
 * tracer before anything else happens: bits 0…7 of the signal's value are one of these, bits 8…11
 * the flags given to cr_checkpoint(), bits 16…31 a callback's own error number. */
enum cr_control_arrival {
	CR_ARRIVES_LEFT = 1,    /* the last critical section was left */
	CR_ARRIVES_READY = 2,   /* a thread's callbacks have all called cr_checkpoint(), or one refuses */
	CR_ARRIVES_FORWARD = 3, /* forward_scope and forward_target are to be taken in */
	CR_ARRIVES_DONE = 4,    /* a thread's callbacks have returned */
	CR_ARRIVES_ABORT = 5    /* one of them returned an error after the checkpoint */
};

#define CR_ARRIVAL_KIND(value)  ((value) & 0xff)
#define CR_ARRIVAL_FLAGS(value) (((value) >> 8) & 0xf)
#define CR_ARRIVAL_ERROR(value) (((uint32_t)(value) >> 16) & 0xffff)

/* The values with which the engine sends CR_SIGNUM to a thread, the second if it is blocked there
 * (the engine unblocks it, the handler blocks it again). */
#define CR_CALLS         0x80
#define CR_CALLS_BLOCKED 0x81

/* The two-class lock. Bits 0…14 count critical sections, 16…30 callback runs; never both. */
#define CR_LOCK_SECTION  0x00000001u
#define CR_LOCK_SECTIONS 0x00007fffu
#define CR_LOCK_RUN      0x00010000u
#define CR_LOCK_RUNS     0x7fff0000u
#define CR_LOCK_WAITED   0x80000000u /* a run waits: no new section begins */

enum cr_control_thread_flags {
	CR_THREAD_CALLBACKS = 1, /* it has signal-context callbacks */
	CR_THREAD_INIT = 2,      /* it has called cr_init() */
	CR_THREAD_RUNNING = 4    /* it is in the midst of its callbacks */
};

/* One per thread that called cr_init(), in its thread-local storage. */
struct cr_control_thread {
	uint64_t next; /* address of the next one, 0 at the end */
	uint32_t tid;
	uint32_t flags;
	uint32_t hold; /* CR_HOLD_* */
	uint32_t sections;
};

/* CR_SIGNUM unless the library was configured otherwise. */
#define CR_USUAL_SIGNAL 64

#define CR_CONTROL_HELPERS 8
#define CR_CONTROL_ACTION  48
#define CR_CONTROL_PATH    4096

struct cr_control {
	/* Set by the library. */
	uint32_t version;
	uint32_t kind;
	uint32_t size;
	uint32_t owner;  /* pid the rest is true for; in a copy made by a bare clone(2) it is not */
	uint32_t wants;
	uint32_t server; /* tid */
	uint32_t lock;
	uint32_t hold_init;
	uint32_t hold_uninit;
	uint32_t runners; /* threads in the midst of their callbacks */
	uint64_t threads; /* address of the first struct cr_control_thread */
	uint32_t forward_scope;
	int32_t forward_target;
	uint32_t action_size; /* bytes of `action` that count; 0: no handler */
	uint32_t arriving; /* threads that may yet send themselves CR_SIGNUM */
	uint8_t action[CR_CONTROL_ACTION];     /* the handler as the kernel's struct sigaction */
	uint32_t helpers[CR_CONTROL_HELPERS]; /* processes of ours, in no scope; 0: none */

	/* Set by the engine. */
	uint32_t phase;      /* number << 8 | enum cr_control_phase */
	uint32_t outcome;
	int32_t error; /* positive, of CR_OUTCOME_FAILED */
	int32_t forward_result;
	uint32_t displaced_size; /* bytes of `displaced` that count; also cleared by the library */
	uint32_t generation; /* restarts that this process has been through */
	uint32_t answers;    /* grows when the engine lets an arrived thread go on */
	int32_t signal;
	int32_t requester;
	int32_t target;
	uint32_t scope;
	int32_t restart_requester;
	/* The application's own action of CR_SIGNUM, while the handler stands in its place. Whoever
	 * finds it here when no request is under way puts it back. */
	uint8_t displaced[CR_CONTROL_ACTION];
	char destination[CR_CONTROL_PATH];
	char source[CR_CONTROL_PATH];

	/* Set by the library, since `size` reaches as far. */
	uint32_t number; /* CR_SIGNUM as this library was built; CR_USUAL_SIGNAL in blocks that end before */
	uint32_t unused;
};

/* What a tool started by libcr writes to the descriptor it was given: one of these at a time, a
 * MESSAGE followed by `value` bytes of text. */
enum cr_report_kind {
	CR_REPORT_ACCEPTED = 1, /* the targets are known and may be taken */
	CR_REPORT_MESSAGE = 2,
	CR_REPORT_ROOT = 3, /* pid of the restarted root */
	CR_REPORT_DONE = 4  /* error number, 0: success */
};

struct cr_report {
	uint32_t kind;
	int32_t value;
};

#define CR_CONTROL_AT(field, offset) \
	_Static_assert(offsetof(struct cr_control, field) == (offset), #field " has moved")
#ifndef __cplusplus
CR_CONTROL_AT(threads, 40);
CR_CONTROL_AT(action, 64);
CR_CONTROL_AT(helpers, 112);
CR_CONTROL_AT(phase, 144);
CR_CONTROL_AT(restart_requester, 188);
CR_CONTROL_AT(displaced, 192);
CR_CONTROL_AT(destination, 240);
CR_CONTROL_AT(source, 4336);
CR_CONTROL_AT(number, 8432);
_Static_assert(sizeof(struct cr_control_thread) == 24, "struct cr_control_thread has grown");
#endif

#endif

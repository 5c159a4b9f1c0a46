/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The contract between the kernel module, the tools and libcr: ioctls of /proc/checkpoint/ctrl.
 *
 * An open file is a request. What it holds goes on as it was when the file is closed, also by the death of its
 * owner; what it has made dies. All fields have fixed widths and places that are the same for 32-bit callers.
 * Ids are those of the caller's pid namespace. Any change of this file is a new CR_UAPI_VERSION.
 */
#ifndef BLCR_UAPI_H
#define BLCR_UAPI_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define CR_CONTROL_FILE "/proc/checkpoint/ctrl"
#define CR_UAPI_VERSION 1

/* First of all, by both sides: EPROTO where the versions differ, with the module's in the structure. */
struct cr_hello {
	__u32 version;
	__u32 pad;
	char module[32]; /* out: the release of the module */
};

/*
 * Parks every thread of a process, those that appear meanwhile too. EINTR, ETIMEDOUT: all run on.
 * EBUSY: another request has it; EPERM.
 */
struct cr_hold {
	__s32 pid;
	__u32 flags;
	__u64 deadline; /* CLOCK_MONOTONIC in ns; ~0 for never */
	__s32 culprit;  /* out: a thread that did not stand */
	__u32 reason;   /* out: CR_CULPRIT_* */
};
#define CR_HOLD_NEW 1 /* it dies with the request */
#define CR_CULPRIT_BUSY 1   /* in a call that cannot be interrupted */
#define CR_CULPRIT_TRACED 2 /* stopped by its tracer */

/* The threads of a process of the request, the leader first. */
struct cr_threads {
	__s32 pid;
	__u32 capacity;
	__u64 ids;         /* __s32[capacity], out */
	__u32 count;       /* out: how many there are, more than capacity or not */
	__s32 stop_signal; /* out: of the job-control stop it was found in, or 0 */
};

/* A regset of a parked thread by its note type; size 0 comes back where it has none of it. */
struct cr_registers {
	__s32 tid;
	__u32 note;
	__u64 bytes;
	__u32 size; /* in and out */
	__u32 set;
};

#define CR_ATTRIBUTE_MASK 1     /* value: the signal mask, as it is outside of sigsuspend(2) and its like */
#define CR_ATTRIBUTE_SEQUENCE 2 /* rseq(2): value, length and signature; only to be read */
struct cr_attribute {
	__s32 tid;
	__u32 which;
	__u64 value;
	__u32 length;
	__u32 signature;
	__u32 set;
	__u32 pad;
};

/* Pending siginfo_t, of 128 bytes each, in the layout of the kernel's own word size. */
struct cr_signals {
	__s32 tid;
	__u32 shared;
	__u64 records;
	__u32 capacity;
	__u32 count; /* out: how many there are */
};

/*
 * Memory for calls, inside a process: `open` bytes for arguments, a page of code, and behind it a page that
 * nobody can touch without being parked. What is mapped already is moved to the new place.
 */
struct cr_scratch {
	__s32 pid;
	__u32 pad;
	__u64 address; /* in: free, page aligned; 0 for anywhere. out: the place */
	__u64 open;    /* out */
	__u64 bell;    /* out: the end of the code page; a call's instruction ends here */
	__u64 end;     /* out */
};
#define CR_SCRATCH_OPEN 0x10000

/*
 * Calls in parked threads, which run side by side: for each, general registers with which it goes on to
 * make one, and how they were afterwards. A thread that has ended meanwhile has fewer done.
 */
struct cr_sequence {
	__s32 tid;
	__u32 count;
	__u64 registers; /* count times size bytes, in and out */
	__u32 size;
	__s32 next_pid;  /* in: the id that the first task made shall have; 0 for any */
	__u32 done;      /* out */
	__u32 pad;
};
struct cr_calls {
	__u64 sequences; /* struct cr_sequence[count] */
	__u32 count;
	__u32 pad;
};
#define CR_CALLS_MOST 256 /* in one sequence */

struct cr_memory {
	__s32 pid;
	__u32 set;
	__u64 address;
	__u64 bytes;
	__u64 size;
	__u64 done; /* out */
};

/* Lets processes go for good, none before all can. */
struct cr_release {
	__u64 pids; /* __s32[count] */
	__u32 count;
	__u32 pad;
};

/* Lets threads of a process run, but for some, without letting go of it. */
struct cr_run {
	__s32 pid;
	__u32 count;
	__u64 standing; /* __s32[count] */
};

#define CR_NEWS_CALL 1
#define CR_NEWS_END 2
struct cr_news {
	__s32 milliseconds;
	__u32 kind; /* out: CR_NEWS_*, 0 if the time has passed */
	__s32 tid;
	__s32 pid;
	__s32 value;
	__u32 last; /* the process has ended with it */
};

/* By a child of the owner, of itself: it is parked when it has executed a program. */
struct cr_enroll {
	__u32 pad[2];
};

/* Waits until a task that was made by a call, or is enrolled, stands. ESRCH: it has ended. */
struct cr_await {
	__s32 tid;
	__u32 pad;
};

/* The id that the caller's next child shall have, if nobody else makes one first. */
struct cr_next_pid {
	__s32 pid;
	__u32 pad;
};

/* By a thread that runs while its process is held: it stands until it is let run again. ESRCH: nobody waits. */
struct cr_arrive {
	__s32 value;
	__u32 pad;
};

/* Writes parts of a process's memory to a file of the caller's, one behind the other. */
struct cr_part {
	__u64 address;
	__u64 size;
};
struct cr_save {
	__s32 pid;
	__s32 file;
	__u64 offset;
	__u64 parts; /* struct cr_part[count] */
	__u32 count;
	__u32 pad;
	__u64 done; /* out: bytes */
};
#define CR_SAVE_MOST 1024

#define CR_HELLO _IOWR('C', 0x40, struct cr_hello)
#define CR_HOLD _IOWR('C', 0x41, struct cr_hold)
#define CR_THREADS _IOWR('C', 0x42, struct cr_threads)
#define CR_REGISTERS _IOWR('C', 0x43, struct cr_registers)
#define CR_ATTRIBUTE _IOWR('C', 0x44, struct cr_attribute)
#define CR_SIGNALS _IOWR('C', 0x45, struct cr_signals)
#define CR_SCRATCH _IOWR('C', 0x46, struct cr_scratch)
#define CR_MAKE_CALLS _IOWR('C', 0x47, struct cr_calls)
#define CR_MEMORY _IOWR('C', 0x48, struct cr_memory)
#define CR_RELEASE _IOWR('C', 0x49, struct cr_release)
#define CR_RUN _IOWR('C', 0x4a, struct cr_run)
#define CR_NEWS _IOWR('C', 0x4b, struct cr_news)
#define CR_ENROLL _IOWR('C', 0x4c, struct cr_enroll)
#define CR_AWAIT _IOWR('C', 0x4d, struct cr_await)
#define CR_NEXT_PID _IOWR('C', 0x4e, struct cr_next_pid)
#define CR_ARRIVE _IOWR('C', 0x4f, struct cr_arrive)
#define CR_SAVE _IOWR('C', 0x50, struct cr_save)

#endif

/* SPDX-License-Identifier: Apache-2.0
 * Types and numbers that the library shares with the tools. Included by libcr.h.
 */
#ifndef BLCR_COMMON_H
#define BLCR_COMMON_H 1

#include <sys/types.h>
#include <blcr_errcodes.h>

typedef int cr_version_t;
typedef long cr_bool_t;

/* Which processes an identifier stands for. */
typedef enum {
	CR_SCOPE_PROC = 0, /* one process with all its threads */
	CR_SCOPE_PGRP = 1, /* a process group */
	CR_SCOPE_SESS = 2, /* a session */
	CR_SCOPE_TREE = 3  /* a process and everything that descends from it */
} cr_scope_t;

/* cr_checkpoint_args_t.cr_flags */
#define CR_CHKPT_PROHIBIT_SELF  0x001 /* fail with EDEADLK rather than include the requester */
#define CR_CHKPT_PTRACED_ALLOW  0x002 /* a traced target is like any other */
#define CR_CHKPT_PTRACED_SKIP   0x004 /* a traced target is left out */
#define CR_CHKPT_PTRACER_SKIP   0x008 /* a target that traces others is left out */
#define CR_CHKPT_ASYNC_ERR      0x010 /* errors are reported by the reap, not by the request */
#define CR_CHKPT_DUMP_EXEC      0x200 /* save the executable's pages too */
#define CR_CHKPT_DUMP_PRIVATE   0x400 /* save private file mappings too */
#define CR_CHKPT_DUMP_SHARED    0x800 /* save shared file mappings too */
#define CR_CHKPT_REQUIRE_LIBCR  0x10000 /* CR_ENOSUPPORT for a target without libcr; not in BLCR */
#define CR_CHKPT_DUMP_ALL (CR_CHKPT_DUMP_EXEC | CR_CHKPT_DUMP_PRIVATE | CR_CHKPT_DUMP_SHARED)

/* cr_restart_args_t.cr_flags */
#define CR_RSTRT_ASYNC_ERR      0x1
#define CR_RSTRT_RESTORE_PID    0x2
#define CR_RSTRT_RESTORE_PGID   0x4
#define CR_RSTRT_RESTORE_SID    0x8

/* Replaces leading parts of saved paths at a restart. */
struct cr_rstrt_relocate_pair {
	const char *oldpath;
	const char *newpath;
};

struct cr_rstrt_relocate {
	unsigned int count;
#if defined(__cplusplus) && !defined(__GNUC__)
	struct cr_rstrt_relocate_pair path[1];
#else
	__extension__ struct cr_rstrt_relocate_pair path[0];
#endif
};

#define CR_MAX_RSTRT_RELOC 16
/* Bytes of a struct cr_rstrt_relocate with room for n pairs. */
#define CR_RSTRT_RELOCATE_SIZE(n) \
	(__builtin_offsetof(struct cr_rstrt_relocate, path) \
		+ (n) * sizeof(struct cr_rstrt_relocate_pair))

/* A destination in place of a descriptor: the working directory of each process. */
#define CR_DEST_CWD (-4096)

/* The signal by which a process is told. Do not use it for anything else. */
#ifndef CR_SIGNUM
#define CR_SIGNUM 64
#endif

#endif

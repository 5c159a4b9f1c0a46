/* SPDX-License-Identifier: GPL-2.0-only */
/* Fields of a task that have moved. */
#ifndef BLCR_TASK_H
#define BLCR_TASK_H

#include <linux/sched.h>
#include <linux/sched/coredump.h>
#include <linux/sched/mm.h>

#include "blcr_config.h"

/* Threads of io_uring never come to user mode. */
#ifdef PF_USER_WORKER
#define CR_PF_KERNEL (PF_KTHREAD | PF_IO_WORKER | PF_USER_WORKER)
#elif defined(PF_IO_WORKER)
#define CR_PF_KERNEL (PF_KTHREAD | PF_IO_WORKER)
#else
#define CR_PF_KERNEL PF_KTHREAD
#endif

static inline bool cr_is_dumpable(struct mm_struct *mm)
{
#if CR_HAVE_GET_DUMPABLE
	return get_dumpable(mm) == SUID_DUMP_USER;
#elif CR_HAVE_MM_FLAGS_WORD
	return (mm->flags & MMF_DUMPABLE_MASK) == SUID_DUMP_USER;
#else
	return __mm_flags_get_dumpable(mm) == SUID_DUMP_USER;
#endif
}

static inline void cr_sequence_of(struct task_struct *task, u64 *area, u32 *length, u32 *signature)
{
	*area = 0;
	*length = *signature = 0;
#ifdef CONFIG_RSEQ
#if CR_HAVE_RSEQ_NESTED
	*area = (unsigned long)task->rseq.usrptr;
	*length = task->rseq.len;
	*signature = task->rseq.sig;
#elif CR_HAVE_RSEQ_FLAT
	*area = (unsigned long)task->rseq;
	*signature = task->rseq_sig;
#if CR_HAVE_RSEQ_LENGTH
	*length = task->rseq_len;
#else
	*length = 32; /* the only one there was */
#endif
#endif
#endif
}

#endif

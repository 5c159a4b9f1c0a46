/* SPDX-License-Identifier: GPL-2.0-only */
/* Work for a task on its way to user mode, and whether its calls are shown to a tracer. */
#ifndef BLCR_WORK_H
#define BLCR_WORK_H

#include <linux/task_work.h>
#include <linux/thread_info.h>

/* Linux 5.11 moved the bit out of the thread's flags where a processor has the common entry code. */
#ifdef test_task_syscall_work
#define cr_calls_traced() test_task_syscall_work(current, SYSCALL_TRACE)
#define cr_trace_calls() set_task_syscall_work(current, SYSCALL_TRACE)
#define cr_hide_calls() clear_task_syscall_work(current, SYSCALL_TRACE)
#else
#define cr_calls_traced() test_thread_flag(TIF_SYSCALL_TRACE)
#define cr_trace_calls() set_thread_flag(TIF_SYSCALL_TRACE)
#define cr_hide_calls() clear_thread_flag(TIF_SYSCALL_TRACE)
#endif

/* Linux 5.18. */
#ifndef JOBCTL_STOPPED
#define JOBCTL_STOPPED 0
#endif

#endif

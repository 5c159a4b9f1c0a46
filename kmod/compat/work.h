/* SPDX-License-Identifier: GPL-2.0-only */
/* Work for a task on its way to user mode, and whether its calls are shown to a tracer and to a filter. */
#ifndef BLCR_WORK_H
#define BLCR_WORK_H

#include <linux/task_work.h>
#include <linux/thread_info.h>

/* Linux 5.11 moved the bit out of the thread's flags where a processor has the common entry code. */
#ifdef test_task_syscall_work
#define cr_calls_traced() test_task_syscall_work(current, SYSCALL_TRACE)
#define cr_trace_calls() set_task_syscall_work(current, SYSCALL_TRACE)
#define cr_hide_calls() clear_task_syscall_work(current, SYSCALL_TRACE)
#define cr_calls_filtered(task) test_task_syscall_work(task, SECCOMP)
#define cr_filter_calls() set_task_syscall_work(current, SECCOMP)
#define cr_pass_calls() clear_task_syscall_work(current, SECCOMP)
#else
#define cr_calls_traced() test_thread_flag(TIF_SYSCALL_TRACE)
#define cr_trace_calls() set_thread_flag(TIF_SYSCALL_TRACE)
#define cr_hide_calls() clear_thread_flag(TIF_SYSCALL_TRACE)
#define cr_calls_filtered(task) test_tsk_thread_flag(task, TIF_SECCOMP)
#define cr_filter_calls() set_thread_flag(TIF_SECCOMP)
#define cr_pass_calls() clear_thread_flag(TIF_SECCOMP)
#endif

/* Linux 5.18. */
#ifndef JOBCTL_STOPPED
#define JOBCTL_STOPPED 0
#endif

#endif

// SPDX-License-Identifier: GPL-2.0-only
/* Registers and the like of parked threads, as a debugger would get them (kernel/ptrace.c). */
#include <linux/elf.h>
#include <linux/regset.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "blcr.h"
#include "task.h"

const struct user_regset *cr_regset_of(struct task_struct *task, unsigned int note)
{
	const struct user_regset_view *view = task_user_regset_view(task);
	unsigned int index;

	for (index = 0; index < view->n; index++)
		if (view->regsets[index].core_note_type == note)
			return &view->regsets[index];
	return NULL;
}

static long get(struct task_struct *task, const struct user_regset *set, struct cr_registers *request)
{
	unsigned int room = request->size;
	void *bytes = NULL;
	int size;

	request->size = 0;
	if (!set || (set->active && set->active(task, set) <= 0))
		return 0;
	size = regset_get_alloc(task, set, set->n * set->size, &bytes);
	if (size == -ENODEV || size == -EOPNOTSUPP)
		return 0;
	if (size < 0)
		return size;
	request->size = size;
	if (size > room)
		size = -ENOSPC;
	else
		size = copy_to_user(u64_to_user_ptr(request->bytes), bytes, size) ? -EFAULT : 0;
	kfree(bytes);
	return size;
}

static long set_all(struct task_struct *task, const struct user_regset *set, struct cr_registers *request)
{
	void *bytes;
	long error;

	if (!set || !set->set)
		return -ENODEV;
	if (!request->size || request->size % set->size || request->size > set->n * set->size)
		return -EINVAL;
	bytes = vmemdup_user(u64_to_user_ptr(request->bytes), request->size);
	if (IS_ERR(bytes))
		return PTR_ERR(bytes);
	error = set->set(task, set, 0, request->size, bytes, NULL);
	kvfree(bytes);
	return error;
}

long cr_regset(struct cr_session *session, struct cr_registers *request)
{
	struct cr_thread *thread = cr_thread_lock(session, request->tid);
	const struct user_regset *set;
	long error;

	if (IS_ERR(thread))
		return PTR_ERR(thread);
	set = cr_regset_of(thread->task, request->note);
	error = request->set ? set_all(thread->task, set, request) : get(thread->task, set, request);
	cr_thread_unlock(thread);
	return error;
}

static long mask(struct task_struct *task, struct cr_attribute *request)
{
	sigset_t mask;

	/* Bit n-1 for signal n, whatever the words of the kernel. */
	if (!request->set) {
		mask = test_tsk_restore_sigmask(task) ? task->saved_sigmask : task->blocked;
#if _NSIG_WORDS == 2 && !defined(CONFIG_64BIT)
		request->value = mask.sig[0] | (__u64)mask.sig[1] << 32;
#else
		request->value = mask.sig[0];
#endif
		return 0;
	}
	siginitset(&mask, 0);
	mask.sig[0] = request->value;
#if _NSIG_WORDS == 2 && !defined(CONFIG_64BIT)
	mask.sig[1] = request->value >> 32;
#endif
	sigdelsetmask(&mask, sigmask(SIGKILL) | sigmask(SIGSTOP));
	clear_tsk_restore_sigmask(task);
	/* Parked and locked, it cannot lose its actions; it looks at its signals again when it goes on. */
	spin_lock_irq(&task->sighand->siglock);
	task->blocked = mask;
	spin_unlock_irq(&task->sighand->siglock);
	return 0;
}

long cr_attribute(struct cr_session *session, struct cr_attribute *request)
{
	struct cr_thread *thread = cr_thread_lock(session, request->tid);
	long error = -EINVAL;

	if (IS_ERR(thread))
		return PTR_ERR(thread);
	if (request->which == CR_ATTRIBUTE_MASK) {
		error = mask(thread->task, request);
	} else if (request->which == CR_ATTRIBUTE_SEQUENCE && !request->set) {
		cr_sequence_of(thread->task, &request->value, &request->length, &request->signature);
		error = 0;
	}
	cr_thread_unlock(thread);
	return error;
}

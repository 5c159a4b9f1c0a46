// SPDX-License-Identifier: GPL-2.0-only
/* Signals that wait for a parked thread or its process, and go on waiting. */
#include <linux/compat.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "blcr.h"

#define RECORD 128

/* Under siglock: how many there are, and as many as there is room for. */
static unsigned int collect(struct sigpending *pending, char *records, unsigned int room)
{
	struct sigqueue *entry;
	unsigned int count = 0;

	list_for_each_entry(entry, &pending->list, list) {
		if (count < room)
			memcpy(records + count * RECORD, &entry->info, sizeof(entry->info));
		count++;
	}
	return count;
}

long cr_pending(struct cr_session *session, struct cr_signals *request)
{
	unsigned int room = min_t(unsigned int, request->capacity, 1 << 14), count;
	struct cr_thread *thread;
	struct task_struct *task;
	char *records;
	long error = 0;

	records = kvcalloc(room ?: 1, RECORD, GFP_KERNEL_ACCOUNT);
	if (!records)
		return -ENOMEM;
	thread = cr_thread_lock(session, request->tid);
	if (IS_ERR(thread)) {
		kvfree(records);
		return PTR_ERR(thread);
	}
	task = thread->task;
	spin_lock_irq(&task->sighand->siglock);
	count = collect(request->shared ? &task->signal->shared_pending : &task->pending, records, room);
	spin_unlock_irq(&task->sighand->siglock);
	cr_thread_unlock(thread);
	request->count = count;
	if (copy_to_user(u64_to_user_ptr(request->records), records, (size_t)min(count, room) * RECORD))
		error = -EFAULT;
	kvfree(records);
	return error;
}

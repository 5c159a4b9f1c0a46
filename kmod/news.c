// SPDX-License-Identifier: GPL-2.0-only
/* What threads that run have done meanwhile: ended, or told of an arrival. */
#include <linux/jiffies.h>

#include "blcr.h"

static void notice_all_ends(struct cr_session *session)
{
	struct cr_process *process;
	struct cr_thread *thread;

	spin_lock(&cr_lock);
	list_for_each_entry(process, &session->processes, in_session)
		list_for_each_entry(thread, &process->threads, in_process)
			cr_thread_notice(thread);
	spin_unlock(&cr_lock);
}

static bool find_news(struct cr_session *session, struct cr_news *request)
{
	struct cr_process *process;
	struct cr_thread *thread;

	request->kind = 0;
	spin_lock(&cr_lock);
	list_for_each_entry(process, &session->processes, in_session) {
		list_for_each_entry(thread, &process->threads, in_process) {
			if (thread->is_told)
				continue;
			if (thread->has_ended)
				request->kind = CR_NEWS_END;
			else if (thread->has_called && cr_thread_stands(thread))
				request->kind = CR_NEWS_CALL;
			else
				continue;
			thread->is_told = true;
			/* Of one that has ended the task knows it no more. */
			request->tid = pid_vnr(thread->id);
			request->pid = pid_vnr(process->id);
			request->value = thread->value;
			request->last = !process->present;
			break;
		}
		if (request->kind)
			break;
	}
	spin_unlock(&cr_lock);
	return request->kind != 0;
}

long cr_news(struct cr_session *session, struct cr_news *request)
{
	unsigned long end = jiffies + msecs_to_jiffies(clamp(request->milliseconds, 0, 60000));

	for (;;) {
		long left = wait_event_interruptible_timeout(session->news, find_news(session, request),
			min_t(unsigned long, msecs_to_jiffies(10), time_before(jiffies, end) ? end - jiffies : 0));

		if (left < 0)
			return -EINTR;
		if (left > 0)
			return 0;
		notice_all_ends(session);
		if (!time_before(jiffies, end)) {
			find_news(session, request);
			return 0;
		}
	}
}

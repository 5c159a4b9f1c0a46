// SPDX-License-Identifier: GPL-2.0-only
/* Memory of held processes, whatever its protection, as /proc/PID/mem. */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "area.h"
#include "blcr.h"

/* One that stands, whose memory it is; one that runs only where the caller may still have it. */
static struct cr_thread *owner(struct cr_session *session, int pid)
{
	struct cr_thread *thread = cr_thread_find(session, pid);
	bool stands;
	int error;

	if (!thread)
		return ERR_PTR(-ESRCH);
	spin_lock(&cr_lock);
	stands = cr_thread_stands(thread);
	spin_unlock(&cr_lock);
	error = stands ? 0 : cr_may_hold(thread->task);
	if (!error)
		return thread;
	cr_thread_put(thread);
	return ERR_PTR(error);
}

#define BUFFER (64 << 10)

long cr_memory(struct cr_session *session, struct cr_memory *request)
{
	unsigned int flags = FOLL_FORCE | (request->set ? FOLL_WRITE : 0);
	char __user *bytes = u64_to_user_ptr(request->bytes);
	struct cr_thread *thread;
	void *buffer;
	long error = 0;

	request->done = 0;
	if (request->size > 1 << 30 || request->address != (unsigned long)request->address)
		return -EINVAL;
	thread = owner(session, request->pid);
	if (IS_ERR(thread))
		return PTR_ERR(thread);
	buffer = kvmalloc(min_t(u64, request->size, BUFFER) ?: 1, GFP_KERNEL);
	if (!buffer)
		error = -ENOMEM;
	while (!error && request->done < request->size) {
		int count = min_t(u64, request->size - request->done, BUFFER), got;

		if (request->set && copy_from_user(buffer, bytes + request->done, count)) {
			error = -EFAULT;
			break;
		}
		got = access_process_vm(thread->task, request->address + request->done, buffer, count, flags);
		if (!request->set && got > 0 && copy_to_user(bytes + request->done, buffer, got))
			error = -EFAULT;
		if (got <= 0)
			break;
		request->done += got;
		if (fatal_signal_pending(current))
			error = -EINTR;
		cond_resched();
	}
	kvfree(buffer);
	cr_thread_put(thread);
	return error;
}

#define PAGES 256

/* Pages of a part, as many as fit; what is not there is made, as for a reader of its own. */
static long pin(struct mm_struct *mm, u64 address, u64 size, struct page **pages)
{
	unsigned long first = address & PAGE_MASK;
	unsigned long count = min_t(u64, DIV_ROUND_UP(address + size - first, PAGE_SIZE), PAGES);
	int locked = 1;
	long got;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	got = cr_get_pages(mm, first, count, FOLL_FORCE, pages, &locked);
	if (locked)
		mmap_read_unlock(mm);
	return got ?: -EFAULT;
}

static long write_some(struct file *file, struct page **pages, long count, u64 address, u64 size, loff_t *position)
{
	u64 skipped = offset_in_page(address), bytes = min_t(u64, count * PAGE_SIZE - skipped, size), done = 0;
	char *view = vm_map_ram(pages, count, NUMA_NO_NODE);
	long written = 0;

	if (!view)
		return -ENOMEM;
	while (done < bytes) {
		written = kernel_write(file, view + skipped + done, bytes - done, position);
		if (written == -EINTR && !fatal_signal_pending(current))
			continue;
		if (written <= 0)
			break;
		done += written;
	}
	vm_unmap_ram(view, count);
	return done ?: written ?: -EIO;
}

static long save(struct mm_struct *mm, struct file *file, struct cr_save *request, const struct cr_part *parts,
	struct page **pages)
{
	loff_t position = request->offset;
	unsigned int index;

	for (index = 0; index < request->count; index++) {
		u64 done = 0;

		while (done < parts[index].size) {
			u64 address = parts[index].address + done;
			long count = pin(mm, address, parts[index].size - done, pages), written, page;

			if (count < 0)
				return count;
			written = write_some(file, pages, count, address, parts[index].size - done, &position);
			for (page = 0; page < count; page++)
				put_page(pages[page]);
			if (written < 0)
				return written;
			done += written;
			request->done += written;
			if (fatal_signal_pending(current))
				return -EINTR;
			cond_resched();
		}
	}
	return 0;
}

long cr_save(struct cr_session *session, struct cr_save *request)
{
	struct cr_thread *thread;
	struct cr_part *parts;
	struct page **pages;
	struct mm_struct *mm;
	struct file *file;
	unsigned int index;
	long error = 0;

	request->done = 0;
	if (!request->count || request->count > CR_SAVE_MOST || (s64)request->offset < 0)
		return -EINVAL;
	parts = memdup_user(u64_to_user_ptr(request->parts), request->count * sizeof(*parts));
	if (IS_ERR(parts))
		return PTR_ERR(parts);
	for (index = 0; index < request->count; index++)
		if (parts[index].address != (unsigned long)parts[index].address
		    || parts[index].address + parts[index].size < parts[index].address)
			error = -EINVAL;
	pages = kvmalloc_array(PAGES, sizeof(*pages), GFP_KERNEL_ACCOUNT);
	file = fget(request->file);
	if (!file || !(file->f_mode & FMODE_WRITE) || !S_ISREG(file_inode(file)->i_mode))
		error = error ?: -EBADF;
	thread = owner(session, request->pid);
	if (IS_ERR(thread))
		error = error ?: PTR_ERR(thread);
	mm = error ? NULL : get_task_mm(thread->task);
	if (!error)
		error = !pages ? -ENOMEM : !mm ? -ESRCH : save(mm, file, request, parts, pages);
	if (mm)
		mmput(mm);
	if (!IS_ERR(thread))
		cr_thread_put(thread);
	if (file)
		fput(file);
	kvfree(pages);
	kfree(parts);
	return error;
}

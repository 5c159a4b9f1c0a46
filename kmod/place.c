// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory for calls in a process: room for arguments, a page of code, and the bell. The bell is a page that never is
 * there. Whoever comes to it in user mode has made his call, or was born by one, and is caught.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/module.h>

#include "area.h"
#include "blcr.h"

static vm_fault_t ring(struct vm_fault *fault)
{
	struct cr_session *session = fault->vma->vm_file->private_data;
	struct cr_thread *thread;
	vm_fault_t answer = VM_FAULT_SIGBUS;

	/* The kernel itself, for a call's argument, or for another process: it would come again for ever. */
	if (!(fault->flags & FAULT_FLAG_USER) || fault->vma->vm_mm != current->mm)
		return VM_FAULT_SIGBUS;
	spin_lock(&cr_lock);
	thread = cr_thread_of(current);
	if (thread && thread->state == CR_CALLING) {
		thread->has_rung = true;
		if (!cr_thread_ask(thread))
			answer = VM_FAULT_NOPAGE;
	}
	spin_unlock(&cr_lock);
	if (!thread && cr_birth(session))
		answer = VM_FAULT_NOPAGE;
	return answer;
}

static const struct vm_operations_struct bell_operations = { .fault = ring };

static int map_bell(struct file *file, struct vm_area_struct *area)
{
	if (area->vm_end - area->vm_start != PAGE_SIZE)
		return -EINVAL;
	/* Nobody's debugger or copy of memory touches it. The processors that ask want leave to execute. */
	vm_flags_set(area, VM_IO | VM_DONTEXPAND | VM_DONTDUMP | VM_EXEC);
	area->vm_ops = &bell_operations;
	return 0;
}

static int release_bell(struct inode *inode, struct file *file)
{
	cr_session_put(file->private_data);
	return 0;
}

static const struct file_operations bell_file_operations = {
	.owner = THIS_MODULE,
	.mmap = map_bell,
	.release = release_bell,
	.llseek = noop_llseek,
};

static unsigned long map_parts(struct file *file, unsigned long address)
{
	const unsigned long flags = MAP_PRIVATE | MAP_NORESERVE, span = CR_SCRATCH_OPEN + 2 * PAGE_SIZE;
	unsigned long start, code, bell;

	start = vm_mmap(NULL, address, span, PROT_READ | PROT_WRITE, flags | (address ? MAP_FIXED_NOREPLACE : 0), 0);
	if (IS_ERR_VALUE(start))
		return start;
	if (address && start != address) {
		vm_munmap(start, span);
		return -EEXIST;
	}
	code = vm_mmap(NULL, start + CR_SCRATCH_OPEN, PAGE_SIZE, PROT_READ | PROT_EXEC, flags | MAP_FIXED, 0);
	bell = code;
	if (!IS_ERR_VALUE(code))
		bell = vm_mmap(file, code + PAGE_SIZE, PAGE_SIZE, PROT_READ, MAP_SHARED | MAP_FIXED, 0);
	if (IS_ERR_VALUE(bell)) {
		vm_munmap(start, span);
		return bell;
	}
	return start;
}

/* In the thread itself. What was mapped before is removed. */
long cr_place_map(struct cr_thread *thread)
{
	struct cr_process *process = thread->process;
	unsigned long old = 0, old_end = 0, start;
	struct file *file;

	kref_get(&process->session->references);
	file = anon_inode_getfile("[blcr]", &bell_file_operations, process->session, O_RDWR);
	if (IS_ERR(file)) {
		cr_session_put(process->session);
		return PTR_ERR(file);
	}
	start = map_parts(file, thread->address);
	fput(file);
	if (IS_ERR_VALUE(start))
		return start;
	spin_lock(&cr_lock);
	if (process->scratch.mm == current->mm && !process->scratch.borrowed) {
		old = process->scratch.start;
		old_end = process->scratch.end;
	}
	process->scratch.start = start;
	process->scratch.bell = start + CR_SCRATCH_OPEN + PAGE_SIZE;
	process->scratch.end = process->scratch.bell + PAGE_SIZE;
	process->scratch.mm = current->mm;
	process->scratch.borrowed = false;
	spin_unlock(&cr_lock);
	if (old_end)
		vm_munmap(old, old_end - old);
	return 0;
}

long cr_scratch(struct cr_session *session, struct cr_scratch *request)
{
	struct cr_process *process;
	long error = 0;

	if (request->address & ~PAGE_MASK)
		return -EINVAL;
	process = cr_process_find(session, request->pid);
	if (IS_ERR(process))
		return PTR_ERR(process);
	if (!process->scratch.mm || request->address)
		error = cr_process_order(process, CR_MAP, request->address);
	spin_lock(&cr_lock);
	request->address = request->open = process->scratch.start;
	request->bell = process->scratch.bell;
	request->end = process->scratch.end;
	spin_unlock(&cr_lock);
	cr_process_put(process);
	return error;
}

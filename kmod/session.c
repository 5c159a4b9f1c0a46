// SPDX-License-Identifier: GPL-2.0-only
/* The control file: every open file of it is a request of its own. */
#include <linux/compat.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "blcr.h"

static int session_open(struct inode *inode, struct file *file)
{
	struct cr_session *session = kzalloc(sizeof(*session), GFP_KERNEL_ACCOUNT);

	if (!session)
		return -ENOMEM;
	/* /proc would let the module go, and the file be dead. */
	if (!try_module_get(THIS_MODULE)) {
		kfree(session);
		return -ENODEV;
	}
	kref_init(&session->references);
	mutex_init(&session->mutex);
	init_waitqueue_head(&session->news);
	INIT_LIST_HEAD(&session->processes);
	file->private_data = session;
	return 0;
}

void cr_session_free(struct kref *references)
{
	kfree(container_of(references, struct cr_session, references));
}

static int session_release(struct inode *inode, struct file *file)
{
	cr_session_end(file->private_data);
	cr_session_put(file->private_data);
	module_put(THIS_MODULE);
	return 0;
}

static ssize_t session_read(struct file *file, char __user *buffer, size_t size, loff_t *position)
{
	char text[64];
	int length = scnprintf(text, sizeof(text), "blcr %s %d\n", CR_MODULE_VERSION, CR_UAPI_VERSION);

	return simple_read_from_buffer(buffer, size, position, text, length);
}

/* The largest of the structures fits. */
union request {
	struct cr_hello hello;
	struct cr_hold hold;
	struct cr_threads threads;
	struct cr_registers registers;
	struct cr_attribute attribute;
	struct cr_signals signals;
	struct cr_scratch scratch;
	struct cr_calls calls;
	struct cr_memory memory;
	struct cr_release release;
	struct cr_run run;
	struct cr_news news;
	struct cr_enroll enroll;
	struct cr_await await;
	struct cr_next_pid next_pid;
	struct cr_arrive arrive;
	struct cr_save save;
};

static long greet(struct cr_session *session, struct cr_hello *request)
{
	bool same = request->version == CR_UAPI_VERSION;

	request->version = CR_UAPI_VERSION;
	strscpy(request->module, CR_MODULE_VERSION, sizeof(request->module));
	session->greeted = session->greeted || same;
	return same ? 0 : -EPROTO;
}

/* Operations of the owner, one at a time. */
static long perform(struct cr_session *session, unsigned int number, union request *request)
{
	switch (number) {
	case CR_HOLD: return cr_hold(session, &request->hold);
	case CR_THREADS: return cr_list(session, &request->threads);
	case CR_REGISTERS: return cr_regset(session, &request->registers);
	case CR_ATTRIBUTE: return cr_attribute(session, &request->attribute);
	case CR_SIGNALS: return cr_pending(session, &request->signals);
	case CR_SCRATCH: return cr_scratch(session, &request->scratch);
	case CR_MAKE_CALLS: return cr_make_calls(session, &request->calls);
	case CR_RELEASE: return cr_release_all(session, &request->release);
	case CR_RUN: return cr_run(session, &request->run);
	case CR_NEWS: return cr_news(session, &request->news);
	case CR_AWAIT: return cr_await(session, &request->await);
	default: return -ENOTTY;
	}
}

static long dispatch(struct cr_session *session, unsigned int number, union request *request)
{
	long error;

	switch (number) {
	case CR_HELLO: return greet(session, &request->hello);
	case CR_ARRIVE: return cr_arrive(&request->arrive);
	}
	if (!session->greeted)
		return -EPROTO;
	switch (number) {
	/* The owner may be waiting for the child that says this. */
	case CR_ENROLL: return cr_enroll(session);
	case CR_NEXT_PID: return cr_next_pid(&request->next_pid);
	/* May be made by several threads at once. */
	case CR_MEMORY: return cr_memory(session, &request->memory);
	case CR_SAVE: return cr_save(session, &request->save);
	}
	if (mutex_lock_killable(&session->mutex))
		return -EINTR;
	error = perform(session, number, request);
	mutex_unlock(&session->mutex);
	return error;
}

static long session_ioctl(struct file *file, unsigned int number, unsigned long place)
{
	void __user *user = (void __user *)place;
	size_t size = _IOC_SIZE(number);
	union request request;
	long result;

	if (_IOC_TYPE(number) != 'C' || _IOC_DIR(number) != (_IOC_READ | _IOC_WRITE) || !size || size > sizeof(request))
		return -ENOTTY;
	memset(&request, 0, sizeof(request));
	if (copy_from_user(&request, user, size))
		return -EFAULT;
	result = dispatch(file->private_data, number, &request);
	/* Also in failure: who is to blame, which version. */
	if (result != -ENOTTY && copy_to_user(user, &request, size))
		return -EFAULT;
	return result;
}

#ifdef CONFIG_COMPAT
static long session_compat_ioctl(struct file *file, unsigned int number, unsigned long place)
{
	return session_ioctl(file, number, (unsigned long)compat_ptr(place));
}
#endif

const struct proc_ops cr_control_operations = {
	.proc_open = session_open,
	.proc_release = session_release,
	.proc_read = session_read,
	.proc_lseek = noop_llseek,
	.proc_ioctl = session_ioctl,
#ifdef CONFIG_COMPAT
	.proc_compat_ioctl = session_compat_ioctl,
#endif
};

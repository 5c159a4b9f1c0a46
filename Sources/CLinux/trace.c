/* SPDX-License-Identifier: Apache-2.0 */
#include "CLinux.h"
#include "trace.h"
#include <linux/futex.h>
#include <linux/ptrace.h>
#include <pthread.h>
#include <sched.h>
#include <sys/personality.h>

long cr_ptrace(long request, int tid, unsigned long address, void *data)
{
	return cr_syscall(SYS_ptrace, request, tid, (long)address, (long)data, 0, 0);
}

long cr_get_register_set(int tid, unsigned int note, void *bytes, size_t capacity)
{
	struct iovec area = {bytes, capacity};
	long result = cr_ptrace(PTRACE_GETREGSET, tid, note, &area);

	return result < 0 ? result : (long)area.iov_len;
}

long cr_set_register_set(int tid, unsigned int note, const void *bytes, size_t count)
{
	struct iovec area = {(void *)bytes, count};

	return cr_ptrace(PTRACE_SETREGSET, tid, note, &area);
}

long cr_peek_signals(int tid, int shared, uint64_t first, void *records, int count)
{
	struct ptrace_peeksiginfo_args arguments = {
		.off = first, .flags = shared ? PTRACE_PEEKSIGINFO_SHARED : 0, .nr = count};

	return cr_ptrace(PTRACE_PEEKSIGINFO, tid, (unsigned long)&arguments, records);
}

long cr_get_rseq(int tid, struct cr_rseq *rseq)
{
	struct ptrace_rseq_configuration configuration = {0};
	long result = cr_ptrace(PTRACE_GET_RSEQ_CONFIGURATION, tid, sizeof configuration,
				&configuration);

	rseq->area = configuration.rseq_abi_pointer;
	rseq->length = configuration.rseq_abi_size;
	rseq->signature = configuration.signature;
	return result;
}

long cr_wait_task(int tid, int *status, int options)
{
	return cr_syscall(SYS_wait4, tid, (long)status, options | __WALL, 0, 0, 0);
}

long cr_read_memory(int pid, void *bytes, uint64_t address, size_t count)
{
	struct iovec ours = {bytes, count}, theirs = {(void *)(uintptr_t)address, count};

	return cr_syscall(SYS_process_vm_readv, pid, (long)&ours, 1, (long)&theirs, 1, 0);
}

long cr_write_memory(int pid, const void *bytes, uint64_t address, size_t count)
{
	struct iovec ours = {(void *)bytes, count}, theirs = {(void *)(uintptr_t)address, count};

	return cr_syscall(SYS_process_vm_writev, pid, (long)&ours, 1, (long)&theirs, 1, 0);
}

uint64_t cr_start_thread(void *(*task)(void *), void *argument)
{
	unsigned char cpus[1024];
	pthread_attr_t attributes;
	pthread_t thread;
	long size = cr_other_cpus(cpus, sizeof cpus);
	int error;

	pthread_attr_init(&attributes);
	if (size > 0)
		pthread_attr_setaffinity_np(&attributes, (size_t)size, (const void *)cpus);
	error = pthread_create(&thread, &attributes, task, argument);
	pthread_attr_destroy(&attributes);
	return error == 0 ? (uint64_t)thread : 0;
}

void cr_join_thread(uint64_t handle)
{
	pthread_join((pthread_t)handle, NULL);
}

/* A page that both sides see, since the child is a copy of us. */
struct meeting {
	int go;    /* futex: 1 once we have seized the child */
	int error; /* errno of what the child could not do */
};

static void become(const struct cr_spawn_request *request, struct meeting *meeting)
{
	static char *const nothing[] = {NULL};
	char *arguments[] = {(char *)"", NULL};
	sigset_t none;

	/* Our parent seizes us first, so that nothing of the program ever runs unobserved. Or the module is told, and
	 * then no copy of the control file may be left in us: it would keep the request alive. */
	while (!__atomic_load_n(&meeting->go, __ATOMIC_ACQUIRE))
		syscall(SYS_futex, &meeting->go, FUTEX_WAIT, 0, NULL, NULL, 0);
	if (request->new_session && syscall(SYS_setsid) < 0)
		goto failed;
	if (request->path == NULL) {
		if (request->control >= 0)
			close(request->control);
		for (;;)
			syscall(SYS_ppoll, NULL, 0, NULL, NULL, 8);
	}
	/* Before the exec, because it shapes the address space. */
	if (syscall(SYS_personality, (unsigned long)request->personality) < 0)
		goto failed;
	sigemptyset(&none);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, 8);
	if (request->control >= 0 && syscall(SYS_ioctl, request->control, CR_ENROLL, &(struct cr_enroll){{0}}) < 0)
		goto failed;
	syscall(SYS_execve, request->path, arguments, nothing);
failed:
	meeting->error = errno;
	syscall(SYS_exit_group, 127);
}

static void let_begin(struct meeting *meeting)
{
	__atomic_store_n(&meeting->go, 1, __ATOMIC_RELEASE);
	syscall(SYS_futex, &meeting->go, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static long seize(long pid, const struct cr_spawn_request *request, struct meeting *meeting)
{
	long result = cr_ptrace(PTRACE_SEIZE, (int)pid, 0, (void *)(uintptr_t)request->options);
	int status;

	if (result < 0) {
		kill((pid_t)pid, SIGKILL);
		cr_wait_task((int)pid, &status, 0);
		return result;
	}
	let_begin(meeting);
	if (request->path == NULL)
		return pid;
	result = cr_wait_task((int)pid, &status, 0);
	if (result < 0)
		return result;
	if (WIFSTOPPED(status) && status >> 16 == PTRACE_EVENT_EXEC)
		return pid;
	if (WIFSTOPPED(status)) { /* a signal met it on the way: give up */
		kill((pid_t)pid, SIGKILL);
		cr_wait_task((int)pid, &status, 0);
		return -EINTR;
	}
	return meeting->error ? -meeting->error : -ENOEXEC;
}

/* Until it stands for the module, or cannot. */
static long await_enrolled(long pid, const struct cr_spawn_request *request, struct meeting *meeting)
{
	struct cr_await await = {.tid = (int)pid};
	struct cr_hold hold = {.pid = (int)pid, .flags = CR_HOLD_NEW, .deadline = ~0ull};
	long result;
	int status;

	let_begin(meeting);
	if (request->path == NULL)
		result = cr_syscall(SYS_ioctl, request->control, CR_HOLD, (long)&hold, 0, 0, 0);
	else
		result = cr_syscall(SYS_ioctl, request->control, CR_AWAIT, (long)&await, 0, 0, 0);
	if (result == 0)
		return pid;
	kill((pid_t)pid, SIGKILL);
	cr_wait_task((int)pid, &status, 0);
	return meeting->error ? -meeting->error : result == -ESRCH ? -ENOEXEC : result;
}

/* Without the privilege for set_tid: the module says which id is next. Somebody else may be quicker. */
static long make_next(const struct cr_spawn_request *request, struct clone_args *arguments)
{
	struct cr_next_pid next = {.pid = request->pid};
	int attempt, status;
	long result = -EAGAIN;

	arguments->set_tid = arguments->set_tid_size = 0;
	for (attempt = 0; attempt < 64; attempt++) {
		result = cr_syscall(SYS_ioctl, request->control, CR_NEXT_PID, (long)&next, 0, 0, 0);
		if (result < 0)
			return result;
		result = cr_syscall(SYS_clone3, (long)arguments, sizeof *arguments, 0, 0, 0, 0);
		if (result <= 0 || result == request->pid)
			return result;
		kill((pid_t)result, SIGKILL);
		cr_wait_task((int)result, &status, 0);
		if (kill(request->pid, 0) == 0 || errno != ESRCH)
			return -EEXIST;
	}
	return -EEXIST;
}

long cr_spawn(const struct cr_spawn_request *request)
{
	pid_t ids[1] = {request->pid};
	struct clone_args arguments = {
		.exit_signal = (uint64_t)request->exit_signal,
		.set_tid = request->pid ? (uint64_t)(uintptr_t)ids : 0,
		.set_tid_size = request->pid ? 1 : 0,
	};
	struct meeting *meeting = mmap(NULL, sizeof *meeting, PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	long result;

	if (meeting == MAP_FAILED)
		return -ENOMEM;
	result = cr_syscall(SYS_clone3, (long)&arguments, sizeof arguments, 0, 0, 0, 0);
	if (result == -EPERM && request->pid && request->control >= 0)
		result = make_next(request, &arguments);
	if (result == 0)
		become(request, meeting);
	if (result > 0 && request->control >= 0)
		result = await_enrolled(result, request, meeting);
	else if (result > 0)
		result = seize(result, request, meeting);
	munmap(meeting, sizeof *meeting);
	return result;
}

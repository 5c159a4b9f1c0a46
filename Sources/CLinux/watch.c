/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/ptrace.h>
#include "CLinux.h"
#include "watch.h"

int cr_queued_signal_value(int thread, int *value)
{
	siginfo_t info;

	if (ptrace(PTRACE_GETSIGINFO, thread, NULL, &info))
		return -errno;
	if (info.si_code != SI_QUEUE)
		return -EINVAL;
	*value = info.si_value.sival_int;
	return 0;
}

int cr_queue_thread_signal(int process, int thread, int number, int value)
{
	siginfo_t info;

	memset(&info, 0, sizeof info);
	info.si_signo = number;
	info.si_code = SI_QUEUE;
	info.si_pid = getpid();
	info.si_uid = getuid();
	info.si_value.sival_int = value;
	return syscall(SYS_rt_tgsigqueueinfo, process, thread, number, &info) ? -errno : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/seccomp_filter.c
 * A process that has given up system calls: it must neither get them back nor die of ours. Of its two
 * filters the stricter answer counts, so both must be there; a child has them too, and a thread a third.
 * runner: root
 * runner: unlike-kernel act under seccomp
 */
#include "scenario.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>

/* One call gets another answer than the kernel's. */
static void judge(long call, unsigned int answer)
{
	struct sock_filter program[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, answer),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { sizeof program / sizeof *program, program };

	check(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_LOG, &filter) == 0);
}

static bool fails_with(long call, int error)
{
	errno = 0;
	return syscall(call, 0, 0, 0, 0, 0, 0) == -1 && errno == error;
}

static pthread_barrier_t meeting;

static void *stricter(void *unused)
{
	judge(SYS_gettid, SECCOMP_RET_ERRNO | EXDEV);
	pthread_barrier_wait(&meeting);
	pthread_barrier_wait(&meeting);
	check(fails_with(SYS_gettid, EXDEV) && fails_with(SYS_getppid, EDOM));
	return unused;
}

int main(void)
{
	pthread_t thread;
	pid_t child;

	check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	judge(SYS_getppid, SECCOMP_RET_ERRNO | EDOM);
	judge(SYS_getpgid, SECCOMP_RET_ERRNO | EILSEQ);
	/* The engine makes these calls, and must not be judged. */
	judge(SYS_pwritev, SECCOMP_RET_KILL_PROCESS);
	judge(SYS_sigaltstack, SECCOMP_RET_KILL_PROCESS);
	judge(SYS_capset, SECCOMP_RET_KILL_PROCESS);
	child = fork();
	check(child >= 0);
	if (child == 0) {
		wait_for_go(0);
		_exit(fails_with(SYS_getppid, EDOM) ? 7 : 1);
	}
	check(pthread_barrier_init(&meeting, NULL, 2) == 0);
	check(pthread_create(&thread, NULL, stricter, NULL) == 0);
	pthread_barrier_wait(&meeting);
	checkpoint_here();
	pthread_barrier_wait(&meeting);
	check(pthread_join(thread, NULL) == 0);
	check(fails_with(SYS_getppid, EDOM) && fails_with(SYS_getpgid, EILSEQ));
	check(gettid() == getpid());
	check(prctl(PR_GET_SECCOMP) == 2);
	check_exits_with(child, 7);
	child = fork();
	if (child == 0) {
		syscall(SYS_capset, NULL, NULL);
		_exit(0);
	}
	check_dies_of(child, SIGSYS);
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/seccomp_filter.c
 * A process that has given up system calls: it must not get them back, nor die of ours.
 * runner: refused seccomp.*not supported
 */
#include "scenario.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>

int main(void)
{
	/* getppid fails with EDOM; ptrace, of which the engine might think, kills. */
	struct sock_filter program[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EDOM),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pwritev, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { sizeof program / sizeof *program, program };

	check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	check(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0);
	check(syscall(SYS_getppid) == -1 && errno == EDOM);
	checkpoint_here();
	check(syscall(SYS_getppid) == -1 && errno == EDOM);
	check(prctl(PR_GET_SECCOMP) == 2);
	return passed();
}

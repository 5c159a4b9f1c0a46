/* SPDX-License-Identifier: Apache-2.0
 * What each of the libraries does when it is loaded: three system calls, no memory, no output.
 * Compiled once per library, with CR_BLOCK naming its control block.
 */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "block.h"
#include "blcr_common.h"

/* glibc's real-time signals: SIGRTMAX, and taking the highest for a library's own use (argument
 * 0), after which an application's SIGRTMAX is one less. Other libraries have neither. */
extern int __libc_current_sigrtmax(void) __attribute__((__weak__));
extern int __libc_allocate_rtsig(int high) __attribute__((__weak__));

static void reserve_signal(void)
{
	if (!__libc_current_sigrtmax || !__libc_allocate_rtsig)
		return;
	/* And those above, which can be had in this order only. */
	while (__libc_current_sigrtmax() >= CR_SIGNUM && __libc_allocate_rtsig(0) > 0)
		;
}

/* As the kernel has it: handler, flags, restorer, mask. */
struct kernel_action {
	void (*handler)(int);
	unsigned char rest[CR_CONTROL_ACTION - sizeof(void *)];
};

static int kernel_action(const struct kernel_action *action, struct kernel_action *old)
{
	return (int)syscall(SYS_rt_sigaction, CR_SIGNUM, action, old, (long)8);
}

static void install(enum cri_displacing displacing, void (*handler)(int, siginfo_t *, void *))
{
	struct kernel_action present;
	struct sigaction action;

	if (kernel_action(NULL, &present) || (displacing == CRI_YIELDS && present.handler != SIG_DFL))
		return;
	memset(&action, 0, sizeof action);
	action.sa_sigaction = handler;
	action.sa_flags = SA_RESTART | SA_SIGINFO;
	sigfillset(&action.sa_mask);
	if (sigaction(CR_SIGNUM, &action, NULL))
		return;
	/* For the day when the application has put something else there. */
	if (!cri_is_in_valgrind() && !kernel_action(NULL, (struct kernel_action *)cri_block.action))
		cri_block.action_size = 3 * sizeof(long) + 8;
	/* Or has already, before it loaded us: an engine finds ours in the block, and nobody else needs it. */
	if (present.handler != SIG_DFL && present.handler != SIG_IGN)
		kernel_action(&present, NULL);
}

void cri_load_library(uint32_t kind, enum cri_displacing displacing,
	void (*handler)(int, siginfo_t *, void *))
{
	int error = errno;

	cri_block.version = CR_CONTROL_VERSION;
	cri_block.kind = kind;
	cri_block.size = sizeof cri_block;
	cri_block.number = CR_SIGNUM;
	reserve_signal();
	install(displacing, handler);
	errno = error;
}

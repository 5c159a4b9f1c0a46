/* SPDX-License-Identifier: Apache-2.0
 * Nothing but a start, with a mark before the constructors and one after them: a system call that fails
 * and means nothing, for strace(1) to show what is between. errno is as it was.
 */
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

static void mark(void)
{
	int error = errno;

	syscall(SYS_getpriority, 77, 0);
	errno = error;
}

/* Before those that name no priority, as the library's. */
__attribute__((__constructor__(101))) static void before(void)
{
	mark();
	errno = 4711;
}

int main(void)
{
	mark();
	return errno != 4711;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/descriptors_left_out.c
 * --skip-unsupported: a userfaultfd and a pidfd of a process outside are closed in the restored
 * program, what watched them watches the rest, and everything else is as it was.
 * runner: checkpoint --skip-unsupported
 */
#include "scenario.h"
#include <linux/userfaultfd.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

int main(void)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = 1 };
	int instance = epoll_create1(0), outsider = syscall(SYS_pidfd_open, getppid(), 0);
	int faults = syscall(SYS_userfaultfd, UFFD_USER_MODE_ONLY), count = eventfd(5, 0);
	int copy = dup(faults), file = file_with("kept", 100, 3);
	bool is_open;

	check(instance >= 0 && outsider >= 0 && faults >= 0 && count >= 0 && copy >= 0);
	check(epoll_ctl(instance, EPOLL_CTL_ADD, outsider, &event) == 0);
	event.data.u32 = 2;
	check(epoll_ctl(instance, EPOLL_CTL_ADD, count, &event) == 0);
	delete_file("kept");
	checkpoint_here();
	is_open = !was_restarted();
	check((fcntl(outsider, F_GETFD) != -1) == is_open);
	check((fcntl(faults, F_GETFD) != -1) == is_open && (fcntl(copy, F_GETFD) != -1) == is_open);
	check(epoll_wait(instance, &event, 1, 0) == 1 && event.data.u32 == 2);
	check(epoll_ctl(instance, EPOLL_CTL_DEL, count, NULL) == 0);
	{
		char bytes[100];
		uint64_t number;

		check(read(count, &number, 8) == 8 && number == 5);
		check(read(file, bytes, 100) == 100 && is_filled(bytes, 100, 3));
	}
	return passed();
}

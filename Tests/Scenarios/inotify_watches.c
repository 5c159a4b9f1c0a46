/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/inotify_watches.c
 * inotify(7): watches keep their numbers, also behind gaps, their masks and their files, one of
 * which was renamed since; nothing but what happens afterwards is reported.
 * runner: root
 */
#include "scenario.h"
#include <sys/inotify.h>

/* The only event that waits, or 0 and no event. */
static int only_event(int file, uint32_t mask)
{
	char bytes[4096] __attribute__((aligned(8)));
	struct inotify_event *event = (void *)bytes;
	ssize_t count = read(file, bytes, sizeof bytes);

	if (count == -1) {
		check(errno == EAGAIN);
		return 0;
	}
	check(count == (ssize_t)(sizeof *event + event->len) && event->mask == mask);
	return event->wd;
}

static int watch(int instance, const char *name, uint32_t mask)
{
	char path[PATH_MAX];
	int number;

	path_in_scenario(path, name);
	number = inotify_add_watch(instance, path, mask);
	check(number > 0);
	return number;
}

int main(void)
{
	char from[PATH_MAX], to[PATH_MAX];
	int first = file_with("first", 10, 1), second = file_with("second", 10, 2);
	int instance = inotify_init1(IN_NONBLOCK | IN_CLOEXEC), numbers[3], other = inotify_init1(0);
	pid_t child;

	check(instance >= 0 && other >= 0);
	path_in_scenario(to, "folder");
	check(mkdir(to, 0777) == 0);
	numbers[0] = watch(instance, "first", IN_MODIFY);
	for (int i = 0; i < 5; i++)
		check(inotify_rm_watch(instance, watch(instance, "second", IN_ATTRIB)) == 0);
	numbers[1] = watch(instance, "second", IN_MODIFY | IN_ONESHOT);
	numbers[2] = watch(instance, "folder", IN_CREATE | IN_ONLYDIR);
	path_in_scenario(from, "second");
	path_in_scenario(to, "name with blanks");
	check(rename(from, to) == 0);
	while (read(instance, from, sizeof from) > 0)
		continue;
	watch(other, "folder", IN_DELETE);
	child = fork();
	if (child == 0) {
		/* SIGSTOP would make it return with EINTR (signal(7)); a checkpoint does not. */
		check(read(other, from, sizeof from) > 0);
		_exit(8);
	}
	await_blocked_in(child, SYS_read);
	checkpoint_here();

	check(fcntl(instance, F_GETFL) == O_NONBLOCK && fcntl(instance, F_GETFD) == FD_CLOEXEC);
	check(only_event(instance, 0) == 0);
	check(write(first, "x", 1) == 1);
	check(only_event(instance, IN_MODIFY) == numbers[0]);
	check(fchmod(first, 0600) == 0 && only_event(instance, 0) == 0);
	path_in_scenario(from, "folder/new");
	check(mknod(from, S_IFREG | 0600, 0) == 0);
	check(only_event(instance, IN_CREATE) == numbers[2]);
	check(inotify_rm_watch(instance, numbers[0]) == 0);
	check(only_event(instance, IN_IGNORED) == numbers[0]);
	/* Once, and then it is gone by itself. */
	check(write(second, "x", 1) == 1 && read(instance, to, sizeof to) == 2 * sizeof(struct inotify_event));
	check(((struct inotify_event *)to)->wd == numbers[1]);
	check(write(second, "x", 1) == 1 && only_event(instance, 0) == 0);
	check(watch(instance, "first", IN_MODIFY) > numbers[2]);
	check(unlink(from) == 0);
	check_exits_with(child, 8);
	return passed();
}

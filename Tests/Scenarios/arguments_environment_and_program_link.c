/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/arguments_environment_and_program_link.c
 * /proc/self/cmdline, environ, auxv and exe say the same as before.
 */
#include "scenario.h"

static size_t contents(const char *path, char *bytes, size_t size)
{
	int file = open(path, O_RDONLY);
	size_t done = 0;
	ssize_t count;

	check(file >= 0);
	while ((count = read(file, bytes + done, size - done)) > 0)
		done += count;
	check(count == 0 && close(file) == 0);
	return done;
}

int main(void)
{
	static const char *paths[] = { "/proc/self/cmdline", "/proc/self/environ", "/proc/self/auxv" };
	static char before[3][8192], after[8192], link_before[PATH_MAX], link_after[PATH_MAX];
	size_t count[3];

	for (int i = 0; i < 3; i++)
		check((count[i] = contents(paths[i], before[i], sizeof before[i])) > 0);
	check(readlink("/proc/self/exe", link_before, PATH_MAX - 1) > 0);
	checkpoint_here();
	for (int i = 0; i < 3; i++) {
		check(contents(paths[i], after, sizeof after) == count[i]);
		check(memcmp(before[i], after, count[i]) == 0);
	}
	check(readlink("/proc/self/exe", link_after, PATH_MAX - 1) > 0);
	check(strcmp(link_before, link_after) == 0);
	return passed();
}

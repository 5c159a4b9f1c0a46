/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/devices_of_the_memory_kind.c
 * null, zero, full, random and urandom: opened again, each what it was.
 */
#include "scenario.h"
#include <sys/sysmacros.h>

static const char *const names[] = { "/dev/null", "/dev/zero", "/dev/full", "/dev/random",
				     "/dev/urandom" };

int main(void)
{
	struct stat before[5], after;
	char bytes[100];
	int files[5];

	for (int i = 0; i < 5; i++) {
		files[i] = open(names[i], i == 2 ? O_RDWR | O_NONBLOCK : O_RDWR);
		if (files[i] < 0)
			files[i] = open(names[i], O_RDONLY);
		check(files[i] >= 0 && fstat(files[i], &before[i]) == 0);
	}
	checkpoint_here();
	for (int i = 0; i < 5; i++) {
		check(fstat(files[i], &after) == 0 && S_ISCHR(after.st_mode));
		check(after.st_rdev == before[i].st_rdev);
	}
	check(read(files[0], bytes, 100) == 0 && write(files[0], bytes, 100) == 100);
	memset(bytes, 1, 100);
	check(read(files[1], bytes, 100) == 100 && is_zero(bytes, 100));
	check(write(files[2], bytes, 1) == -1 && errno == ENOSPC);
	check(fcntl(files[2], F_GETFL) & O_NONBLOCK);
	check(read(files[3], bytes, 1) == 1 && read(files[4], bytes, 100) == 100);
	check(!is_zero(bytes, 100));
	return passed();
}

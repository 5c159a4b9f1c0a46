/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/deleted_file_of_twenty_mebibytes.c
 * Large, and mostly holes.
 */
#include "scenario.h"

int main(void)
{
	enum { size = 20 * mebibyte };
	int file = file_with("temporary", size, 54), sparse = file_with("sparse", 0, 0);
	char *bytes = memory(size);
	struct stat status;

	check(ftruncate(sparse, 1ll << 32) == 0);
	check(pwrite(sparse, "middle", 6, 1ll << 31) == 6);
	delete_file("temporary");
	delete_file("sparse");
	checkpoint_here();
	check(pread(file, bytes, size, 0) == size && is_filled(bytes, size, 54));
	check(fstat(sparse, &status) == 0 && status.st_size == 1ll << 32);
	check(status.st_blocks < 1000);
	check(pread(sparse, bytes, 6, 1ll << 31) == 6 && memcmp(bytes, "middle", 6) == 0);
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/deleted_file_with_another_name.c
 * The name it was opened by is gone, a hard link is left: it must be that file and not a copy.
 */
#include "scenario.h"

int main(void)
{
	int file = file_with("first", 100, 55);
	char first[PATH_MAX], second[PATH_MAX];
	struct stat open_file, linked_file;

	path_in_scenario(first, "first");
	path_in_scenario(second, "second");
	check(link(first, second) == 0 && unlink(first) == 0);
	check(lseek(file, 3, SEEK_SET) == 3);
	checkpoint_here();
	check(lseek(file, 0, SEEK_CUR) == 3);
	check(fstat(file, &open_file) == 0 && stat(second, &linked_file) == 0);
	check(open_file.st_ino == linked_file.st_ino);
	check(pwrite(file, "both", 4, 0) == 4);
	return passed();
}

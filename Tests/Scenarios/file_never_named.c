/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/file_never_named.c
 * O_TMPFILE: a file that never had a name.
 */
#include "scenario.h"

int main(void)
{
	char path[PATH_MAX], text[8] = { 0 };
	int file;

	path_in_scenario(path, "");
	file = open(path, O_TMPFILE | O_RDWR | O_EXCL | O_NOFOLLOW, 0600);
	if (file < 0)
		cannot_run_here("no O_TMPFILE on this file system");
	check(write(file, "unnamed", 7) == 7);
	checkpoint_here();
	check(lseek(file, 0, SEEK_CUR) == 7);
	check(pread(file, text, 7, 0) == 7 && strcmp(text, "unnamed") == 0);
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/file_names_with_odd_bytes.c
 * A name may hold spaces, newlines, backslashes, " (deleted)" and bytes that are no UTF-8.
 */
#include "scenario.h"

static const char *const names[] = { "a b", "line\nbreak", "back\\slash", "tab\there",
				     "\xff\xfe", "gone (deleted)", "#!\"'$`*?[" };
enum { count = sizeof names / sizeof *names };

int main(void)
{
	int files[count];
	char *maps[count];

	for (int i = 0; i < count; i++) {
		files[i] = file_with(names[i], page_size, 60 + i);
		check(lseek(files[i], i, SEEK_SET) == i);
		maps[i] = mmap(NULL, page_size, PROT_READ, MAP_PRIVATE, files[i], 0);
		check(maps[i] != MAP_FAILED);
	}
	checkpoint_here();
	for (int i = 0; i < count; i++) {
		char path[PATH_MAX];
		struct stat open_file, named_file;

		check(lseek(files[i], 0, SEEK_CUR) == i);
		check(is_filled(maps[i], page_size, 60 + i));
		path_in_scenario(path, names[i]);
		check(fstat(files[i], &open_file) == 0 && stat(path, &named_file) == 0);
		check(open_file.st_ino == named_file.st_ino);
	}
	return passed();
}

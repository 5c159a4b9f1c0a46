/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/files_of_a_hugetlbfs.c
 * runner: root
 * runner: huge-pages
 * Files of a hugetlbfs that is mounted, as DPDK and libhugetlbfs make them: one with its name, mapped
 * shared by two processes and privately; a deleted one that is mapped, and one that is only open; one
 * that is there and only open. Nobody can write(2) to them.
 */
#include "scenario.h"

enum { huge = 2 * mebibyte };

static int file_of(const char *name, int pages)
{
	char path[PATH_MAX];
	int file;

	path_in_scenario(path, name);
	file = open(path, O_RDWR | O_CREAT | O_EXCL, 0640);
	check(file >= 0 && ftruncate(file, pages * (off_t)huge) == 0);
	return file;
}

static char *map(int file, int flags, int pages)
{
	char *memory = mmap(NULL, pages * (size_t)huge, PROT_READ | PROT_WRITE, flags, file, 0);

	if (memory == MAP_FAILED)
		cannot_run_here("no huge pages are left");
	return memory;
}

int main(void)
{
	int named = file_of("huge/named", 3), deleted = file_of("huge/deleted", 2);
	int open_only = file_of("huge/gone and open", 1), there = file_of("huge/there", 1);
	char *of_named = map(named, MAP_SHARED, 3), *changed = map(named, MAP_PRIVATE, 3);
	char *of_deleted = map(deleted, MAP_SHARED, 2), *other;
	struct stat state;
	pid_t child;

	fill(of_named, huge, 60);
	fill(of_named + 2 * huge, huge, 61);
	fill(changed + 2 * huge, 100, 62);
	fill(of_deleted + huge, huge, 63);
	other = map(open_only, MAP_SHARED, 1);
	fill(other, huge, 64);
	check(munmap(other, huge) == 0);
	other = map(there, MAP_SHARED, 1);
	fill(other, huge, 65);
	check(munmap(other, huge) == 0);
	check(close(named) == 0);
	delete_file("huge/deleted");
	delete_file("huge/gone and open");
	child = fork();
	if (child == 0) {
		wait_for_go(0);
		await("written");
		check(is_filled(of_named, huge, 60) && of_named[huge] == 'p');
		of_named[huge + 1] = 'c';
		of_deleted[0] = 'c';
		_exit(0);
	}
	checkpoint_here();
	check(is_huge(of_named) && is_huge(changed) && is_huge(of_deleted));
	check(is_filled(of_named, huge, 60) && is_zero(of_named + huge, huge));
	check(is_filled(of_named + 2 * huge, huge, 61));
	check(is_filled(changed, huge, 60) && is_filled(changed + 2 * huge, 100, 62));
	check(is_zero(of_deleted, huge) && is_filled(of_deleted + huge, huge, 63));
	of_named[huge] = 'p';
	tell("written");
	check_exits_with(child, 0);
	check(of_named[huge + 1] == 'c' && of_deleted[0] == 'c' && changed[huge] == 'p');

	check(fstat(deleted, &state) == 0 && state.st_nlink == 0 && state.st_blksize == huge);
	other = map(deleted, MAP_SHARED, 2);
	check(other[0] == 'c' && is_filled(other + huge, huge, 63));
	other = map(open_only, MAP_SHARED, 1);
	check(is_huge(other) && is_filled(other, huge, 64));
	other = map(there, MAP_SHARED, 1);
	check(is_huge(other) && is_filled(other, huge, 65));
	named = open("huge/named", O_RDWR);
	check(named >= 0 && fstat(named, &state) == 0 && state.st_size == 3 * huge);
	check((state.st_mode & 07777) == 0640);
	other = map(named, MAP_SHARED, 3);
	check(other[huge] == 'p' && other[huge + 1] == 'c');
	return passed();
}

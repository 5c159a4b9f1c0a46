/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/huge_pages_of_their_own.c
 * runner: root
 * runner: huge-pages
 * Memory of hugetlbfs: private, shared with a child, and files in memory (memfd), one with a private
 * mapping that has changed, one sealed, one that is only open. Pages never touched stay zero.
 */
#include "scenario.h"
#include <sys/mman.h>

enum { huge = 2 << 20 };

static char *map(int flags, int file, int pages)
{
	char *memory = mmap(NULL, pages * (size_t)huge, PROT_READ | PROT_WRITE, flags, file, 0);

	if (memory == MAP_FAILED)
		cannot_run_here("no huge pages are left");
	return memory;
}

static int file_in_memory(const char *name, int pages)
{
	int file = memfd_create(name, MFD_HUGETLB | MFD_ALLOW_SEALING);

	if (file < 0 || ftruncate(file, pages * (off_t)huge) < 0)
		cannot_run_here("no huge pages are left");
	return file;
}

int main(void)
{
	char *private, *shared, *of_file, *changed, *of_open;
	int file, sealed, open_only;
	struct stat state;
	pid_t child;

	private = map(MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 3);
	shared = map(MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB, -1, 2);
	file = file_in_memory("file", 2);
	of_file = map(MAP_SHARED, file, 2);
	changed = map(MAP_PRIVATE, file, 2);
	sealed = file_in_memory("sealed", 1);
	check(fcntl(sealed, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0);
	open_only = file_in_memory("open only", 1);
	of_open = map(MAP_SHARED, open_only, 1);
	fill(private, huge, 1);
	fill(private + 2 * huge, huge, 2);
	check(mprotect(private + 2 * huge, huge, PROT_READ) == 0);
	fill(shared, huge, 3);
	fill(of_file, huge, 4);
	fill(of_file + huge, huge, 5);
	fill(changed + huge, 100, 6);
	fill(of_open, huge, 7);
	check(munmap(of_open, huge) == 0);
	child = fork();
	if (child == 0) {
		wait_for_go(0);
		await("written");
		check(is_filled(shared, huge, 3) && shared[huge] == 'p');
		shared[huge + 1] = 'c';
		_exit(0);
	}
	checkpoint_here();
	check(is_huge(private));
	check(is_huge(shared));
	check(is_huge(of_file));
	check(is_huge(changed));
	check(is_filled(private, huge, 1) && is_zero(private + huge, huge));
	check(is_filled(private + 2 * huge, huge, 2));
	check(is_filled(shared, huge, 3) && is_zero(shared + huge, huge));
	shared[huge] = 'p';
	tell("written");
	check_exits_with(child, 0);
	check(shared[huge + 1] == 'c');
	check(is_filled(of_file, huge, 4) && is_filled(of_file + huge, huge, 5));
	check(is_filled(changed, huge, 4) && is_filled(changed + huge, 100, 6));
	of_file[0] ^= 1;
	check(changed[0] == of_file[0]);
	check(changed[huge] != of_file[huge]);
	check(fcntl(sealed, F_GET_SEALS) == (F_SEAL_SHRINK | F_SEAL_GROW));
	check(fstat(sealed, &state) == 0 && state.st_size == huge && state.st_blksize == huge);
	check(ftruncate(sealed, 2 * huge) < 0 && errno == EPERM);
	of_open = map(MAP_SHARED, open_only, 1);
	check(is_huge(of_open));
	check(is_filled(of_open, huge, 7));
	return passed();
}

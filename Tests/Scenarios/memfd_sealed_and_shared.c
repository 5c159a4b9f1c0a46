/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/memfd_sealed_and_shared.c
 * memfd_create(2): contents, name and mode; seals, also those that only a mapping is left to tell
 * of; and one that descriptors and mappings of two processes share.
 */
#include "scenario.h"

enum { size = 5 * page_size };

static int memfd(const char *name, unsigned flags, uint64_t seed)
{
	char *bytes = memory(size);
	int file = memfd_create(name, flags);

	check(file >= 0);
	fill(bytes, size, seed);
	check(write(file, bytes, size) == size);
	check(munmap(bytes, size) == 0);
	return file;
}

static void *map(int file, int protection)
{
	void *start = mmap(NULL, size, protection, MAP_SHARED, file, 0);

	check(start != MAP_FAILED);
	return start;
}

int main(void)
{
	enum { all = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };
	int plain = memfd("plain", MFD_CLOEXEC, 1), open = memfd("open", MFD_ALLOW_SEALING, 2);
	int sealed = memfd("sealed", MFD_ALLOW_SEALING, 3), future = memfd("future", MFD_ALLOW_SEALING, 4);
	int shared = memfd("shared", 0, 5), gone = memfd("gone", MFD_ALLOW_SEALING, 6);
	char *fixed, *old, *common, *left, name[64] = "", *bytes = memory(size);
	struct stat status;
	pid_t child;

	check(fcntl(sealed, F_ADD_SEALS, all | F_SEAL_SEAL) == 0);
	fixed = map(sealed, PROT_READ);
	old = map(future, PROT_READ | PROT_WRITE);
	check(fcntl(future, F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_SHRINK) == 0);
	check(fcntl(gone, F_ADD_SEALS, F_SEAL_SHRINK) == 0);
	left = map(gone, PROT_READ | PROT_WRITE);
	check(close(gone) == 0 && fchmod(plain, 0640) == 0 && lseek(plain, 7, SEEK_SET) == 7);
	common = map(shared, PROT_READ | PROT_WRITE);
	child = fork();
	if (child == 0) {
		/* Sees by its own descriptor what the parent writes into its mapping. */
		await("written");
		check(pread(shared, bytes, 8, page_size) == 8 && memcmp(bytes, "together", 8) == 0);
		check(pwrite(shared, "answer", 6, 0) == 6);
		_exit(9);
	}
	checkpoint_here();

	check(readlink("/proc/self/fd/3", name, sizeof name - 1) > 0);
	check(strcmp(name, "/memfd:plain (deleted)") == 0);
	check(fcntl(plain, F_GETFD) == FD_CLOEXEC && lseek(plain, 0, SEEK_CUR) == 7);
	check(fcntl(plain, F_GET_SEALS) == F_SEAL_SEAL);
	check(pread(plain, bytes, size, 0) == size && is_filled(bytes, size, 1));
	check(fcntl(open, F_GET_SEALS) == 0 && fcntl(open, F_ADD_SEALS, F_SEAL_GROW) == 0);
	check(ftruncate(open, size + 1) == -1 && errno == EPERM);

	check(fcntl(sealed, F_GET_SEALS) == (all | F_SEAL_SEAL));
	check(is_filled(fixed, size, 3) && pread(sealed, bytes, size, 0) == size);
	check(is_filled(bytes, size, 3) && write(sealed, "x", 1) == -1 && errno == EPERM);
	check(mprotect(fixed, size, PROT_READ | PROT_WRITE) == -1);

	/* What was mapped before the seal can be written to, and nothing else. */
	check(fcntl(future, F_GET_SEALS) == (F_SEAL_FUTURE_WRITE | F_SEAL_SHRINK));
	check(is_filled(old, size, 4));
	old[0] = 'x';
	check(pread(future, bytes, 1, 0) == 1 && bytes[0] == 'x');
	check(pwrite(future, "y", 1, 0) == -1 && errno == EPERM);

	check(is_filled(left, size, 6));
	left[0] = 'x';
	{
		char path[128];
		int again;

		snprintf(path, sizeof path, "/proc/self/map_files/%lx-%lx", (long)left, (long)left + size);
		again = openat(AT_FDCWD, path, O_RDWR);
		check(again >= 0 && fcntl(again, F_GET_SEALS) == F_SEAL_SHRINK);
	}
	memcpy(common + page_size, "together", 8);
	tell("written");
	check_exits_with(child, 9);
	check(memcmp(common, "answer", 6) == 0);
	check(fstat(plain, &status) == 0 && status.st_mode == (S_IFREG | 0640));
	return passed();
}

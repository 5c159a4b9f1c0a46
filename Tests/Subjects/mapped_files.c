/* SPDX-License-Identifier: Apache-2.0
 * Depends on files only through memory: its own code, a library, a private and a shared mapping.
 * Most of each is looked at for the first time after "go" exists, when the files may be gone.
 *
 *     mapped_files DIR GO        DIR holds private.dat and shared.dat, 64 KiB each
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIZE = 65536 };

uint32_t library_sum(uint32_t start);

/* In the program file alone, and far from what runs at first. */
static const uint32_t numbers[SIZE] = {[0] = 17, [SIZE / 2] = 4711, [SIZE - 1] = 99};

static uint32_t sum(const volatile unsigned char *bytes, uint32_t hash)
{
	for (int i = 0; i < SIZE; i++)
		hash = hash * 31 + bytes[i];
	return hash;
}

static unsigned char *map(const char *directory, const char *name, int flags)
{
	char path[4096];
	void *memory;
	int file;

	snprintf(path, sizeof path, "%s/%s", directory, name);
	file = open(path, O_RDWR);
	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, flags, file, 0);
	if (file < 0 || memory == MAP_FAILED)
		exit(3);
	close(file);
	return memory;
}

static void await(const char *path)
{
	while (access(path, F_OK) != 0)
		usleep(2000);
}

int main(int count, char **arguments)
{
	unsigned char *private, *shared;
	uint32_t hash = 1;
	int status;

	if (count != 3)
		return 2;
	private = map(arguments[1], "private.dat", MAP_PRIVATE);
	shared = map(arguments[1], "shared.dat", MAP_SHARED);
	private[5000] ^= 0x55;
	shared[100] = 7;
	if (fork() == 0) {
		await(arguments[2]);
		shared[60000] = 200; /* to be seen by the parent */
		_exit(23);
	}
	dprintf(1, "ready\n");
	await(arguments[2]);
	if (wait(&status) < 0 || WEXITSTATUS(status) != 23)
		return 4;
	for (int i = 0; i < SIZE; i++)
		hash = hash * 33 + numbers[i];
	hash = sum(shared, sum(private, library_sum(hash)));
	dprintf(1, "%08x\n", (unsigned)hash);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 * stream write|sync|read FILE MEBIBYTES: the plain write(), write() with fsync(), or read() of
 * touched or fresh private memory that a checkpoint or restart of as many bytes is compared with.
 * Prints nanoseconds.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static uint64_t clock_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	int syncing = strcmp(argv[1], "sync") == 0;
	int writing = syncing || strcmp(argv[1], "write") == 0;
	size_t bytes = (size_t)atol(argv[3]) << 20, done = 0;
	char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return 1;
	if (writing) {
		uint64_t x = 1;
		for (size_t i = 0; i < bytes; i += 8) {
			x = x * 6364136223846793005u + 1;
			memcpy(memory + i, &x, 8);
		}
		unlink(argv[2]);
	}
	int fd = open(argv[2], writing ? O_WRONLY | O_CREAT | O_TRUNC : O_RDONLY, 0600);
	if (fd < 0) {
		perror(argv[2]);
		return 1;
	}
	uint64_t start = clock_now();
	while (done < bytes) {
		ssize_t n = writing ? write(fd, memory + done, bytes - done)
				    : read(fd, memory + done, bytes - done);
		if (n <= 0) {
			perror(argv[1]);
			return 1;
		}
		done += (size_t)n;
	}
	if (syncing && fsync(fd) < 0) {
		perror("fsync");
		return 1;
	}
	printf("%llu\n", (unsigned long long)(clock_now() - start));
	return 0;
}

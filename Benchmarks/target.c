/* SPDX-License-Identifier: Apache-2.0
 * target BOARD THREADS MEBIBYTES: a program to be checkpointed, that measures its own pauses.
 *
 * It touches MEBIBYTES of random private memory, starts THREADS - 1 threads that wait on a
 * condition variable, and then looks at the clock without end. The longest gap between two looks
 * is the pause that a checkpoint caused; it stands in BOARD, a file mapped shared.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

struct board {
	_Atomic uint64_t beats;       /* looks at the clock */
	_Atomic uint64_t longest_gap; /* ns; the reader sets it to 0 */
	_Atomic uint64_t gap_end;     /* ns, CLOCK_MONOTONIC, of the look that ended that gap */
	_Atomic uint64_t sum;         /* of the memory, when `ask` is set */
	_Atomic uint64_t ask;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;

static void *wait_for_ever(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&mutex);
	for (;;)
		pthread_cond_wait(&never, &mutex);
	return NULL;
}

static uint64_t clock_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t *fill(size_t bytes)
{
	uint64_t x = 88172645463325252u;
	uint64_t *words = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (words == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	for (size_t i = 0; i < bytes / 8; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		words[i] = x;
	}
	return words;
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	size_t bytes = (size_t)atol(argv[3]) << 20;
	int fd = open(argv[1], O_RDWR | O_CREAT, 0600);
	if (fd < 0 || ftruncate(fd, 4096) < 0) {
		perror(argv[1]);
		return 1;
	}
	struct board *board = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	uint64_t *words = bytes ? fill(bytes) : NULL;
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	for (int i = 1; i < atoi(argv[2]); i++) {
		pthread_t thread;
		if (pthread_create(&thread, &attr, wait_for_ever, NULL) != 0)
			return 1;
	}
	uint64_t last = clock_now();
	for (;;) {
		uint64_t t = clock_now();
		if (t - last > board->longest_gap) {
			board->longest_gap = t - last;
			board->gap_end = t;
		}
		last = t;
		board->beats++;
		if (board->ask) {
			uint64_t sum = 0;
			for (size_t i = 0; i < bytes / 8; i++)
				sum = sum * 31 + words[i];
			board->sum = sum;
			board->ask = 0;
			last = clock_now();
		}
	}
}

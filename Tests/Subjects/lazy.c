/* SPDX-License-Identifier: Apache-2.0
 * Memory of known contents, of which something is done while a lazy restart still loads it:
 *
 *   lazy MEBIBYTES ACTION
 *
 * It says `begun`, waits for the file `go`, does what the action's name says and ends with 0 if every
 * byte was right. Until then it touches nothing of that memory.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

static size_t page, pages;
static char *memory;
static char **arguments;
extern char **environ;

static void fail(const char *what, size_t where)
{
	printf("wrong: %s at page %zu (%s)\n", what, where, strerror(errno));
	fflush(stdout);
	_exit(1);
}

#define check(condition) ((condition) ? (void)0 : fail(#condition, 0))

static uint64_t word(size_t number, size_t index)
{
	return (number + 1) * 0x9e3779b97f4a7c15u ^ index * 0xff51afd7ed558ccdu;
}

static void fill(char *bytes, size_t number)
{
	for (size_t i = 0; i < page / 8; i++)
		((uint64_t *)bytes)[i] = word(number, i);
}

static void check_page(const char *bytes, size_t number)
{
	for (size_t i = 0; i < page / 8; i++)
		if (((const uint64_t *)bytes)[i] != word(number, i))
			fail("contents", number);
}

/* `bytes` holds what pages first … last - 1 had. */
static void check_pages(const char *bytes, size_t first, size_t last)
{
	for (size_t number = first; number < last; number++)
		check_page(bytes + (number - first) * page, number);
}

static void check_zeros(const char *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (bytes[i])
			fail("zeros", i / page);
}

static char *at(size_t number) { return memory + number * page; }

static void check_all(void) { check_pages(memory, 0, pages); }

static void await(pid_t child)
{
	int status;

	check(waitpid(child, &status, 0) == child);
	check(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void *check_share(void *argument)
{
	size_t share = (size_t)argument;

	/* Back and forth, so that they meet. */
	for (size_t i = 0; i < pages; i++) {
		size_t number = share % 2 ? pages - 1 - i : i;

		if (number / 16 % 4 == share || number % 7 == share)
			check_page(at(number), number);
	}
	return NULL;
}

static void with_threads(void)
{
	pthread_t threads[4];

	for (size_t i = 0; i < 4; i++)
		check(pthread_create(&threads[i], NULL, check_share, (void *)i) == 0);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	check_all();
}

/* The parent changes what the child must not see changed, and goes on. */
static void with_forks(void)
{
	for (int round = 0; round < 6; round++) {
		pid_t child = fork();

		check(child >= 0);
		if (child == 0) {
			pid_t grandchild = fork();

			if (grandchild == 0) {
				check_pages(at(pages / 2), pages / 2, pages);
				_exit(0);
			}
			check_all();
			await(grandchild);
			_exit(0);
		}
		if (round == 5)
			memset(memory, 7, pages * page);
		await(child);
	}
	for (size_t i = 0; i < pages * page; i += page)
		check(memory[i] == 7);
}

static void moved(void)
{
	size_t half = pages / 2, quarter = pages / 4;
	char *place = mmap(NULL, pages * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *old;

	/* A quarter goes elsewhere and grows; another one leaves its place behind. */
	check(place != MAP_FAILED);
	check(mremap(memory, quarter * page, half * page, MREMAP_MAYMOVE | MREMAP_FIXED, place) == place);
	old = at(quarter);
	place = mremap(old, quarter * page, quarter * page, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
	check(place != MAP_FAILED && place != old);
	check_pages(place, quarter, half);
	check_zeros(old, quarter * page);
	/* The last half shrinks, and comes back where the first one was. */
	check(mremap(at(half), (pages - half) * page, (pages - half - 3) * page, 0) == at(half));
	check(mremap(at(half), (pages - half - 3) * page, (pages - half - 3) * page,
		MREMAP_MAYMOVE | MREMAP_FIXED, memory) == memory);
	check_pages(memory, half, pages - 3);
}

static void moved_and_grown(void)
{
	size_t half = pages / 2, quarter = pages / 4;
	char *place = mmap(NULL, pages * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	check(mremap(at(half), quarter * page, half * page, MREMAP_MAYMOVE | MREMAP_FIXED, place) == place);
	check_pages(place, half, half + quarter);
	check_zeros(place + quarter * page, (half - quarter) * page);
	check_pages(memory, 0, half);
	check_pages(at(half + quarter), half + quarter, pages);
}

static void given_back(void)
{
	for (size_t i = 0; i + 64 <= pages; i += 128)
		check(madvise(at(i), 64 * page, MADV_DONTNEED) == 0);
	for (size_t i = 0; i + 128 <= pages; i += 128) {
		check_zeros(at(i), 64 * page);
		check_pages(at(i + 64), i + 64, i + 128);
	}
	check(madvise(memory, pages * page, MADV_FREE) == 0);
	memset(memory, 3, pages * page);
	for (size_t i = 0; i < pages * page; i += page)
		check(memory[i] == 3);
}

static void unmapped(void)
{
	size_t third = pages / 3;

	check(munmap(at(third), third * page) == 0);
	check(mmap(at(third), third * page, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == at(third));
	check_zeros(at(third), third * page);
	/* And over what is there. */
	check(mmap(at(2 * third), 16 * page, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at(2 * third));
	check_zeros(at(2 * third), 16 * page);
	check_pages(memory, 0, third);
	check_pages(at(2 * third + 16), 2 * third + 16, pages);
}

/* The kernel touches it, in our name. */
static void by_the_kernel(void)
{
	FILE *unnamed = tmpfile();
	char *copy = malloc(page);
	int file = fileno(unnamed), ends[2];

	check(pwrite(file, memory, 100 * page, 0) == (ssize_t)(100 * page));
	for (size_t i = 0; i < 100; i++) {
		check(pread(file, copy, page, i * page) == (ssize_t)page);
		check_page(copy, i);
	}
	check(pread(file, at(200), 50 * page, 0) == (ssize_t)(50 * page));
	check_pages(at(200), 0, 50);
	check(pipe(ends) == 0);
	for (size_t i = 300; i < 400; i++) {
		check(write(ends[1], at(i), page) == (ssize_t)page);
		check(read(ends[0], copy, page) == (ssize_t)page);
		check_page(copy, i);
	}
	check_pages(at(250), 250, pages);
}

static void locked(void)
{
	check(mlock(at(100), 200 * page) == 0);
	check(mlockall(MCL_CURRENT) == 0);
	check_all();
}

static void protected(void)
{
	for (size_t i = 0; i + 8 <= pages; i += 16)
		check(mprotect(at(i), 8 * page, i % 32 ? PROT_READ : PROT_NONE) == 0);
	for (size_t i = 0; i + 16 <= pages; i += 16) {
		check_pages(at(i + 8), i + 8, i + 16);
		if (i % 32)
			check_pages(at(i), i, i + 8);
	}
	check(mprotect(memory, pages * page, PROT_READ | PROT_WRITE) == 0);
	check_all();
}

static void wiped_on_fork(void)
{
	pid_t child;

	check(madvise(at(64), 64 * page, MADV_WIPEONFORK) == 0);
	child = fork();
	if (child == 0) {
		check_zeros(at(64), 64 * page);
		check_pages(memory, 0, 64);
		_exit(0);
	}
	await(child);
	check_all();
}

static void executes(void)
{
	char *words[] = { arguments[0], arguments[1], "threads", "now", NULL };
	pid_t child;

	/* One beside us first, which has our memory until it does. */
	check(posix_spawn(&child, "/proc/self/exe", NULL, NULL, words, environ) == 0);
	await(child);
	check_pages(memory, 0, pages / 2);
	execv("/proc/self/exe", words);
	fail("exec", 0);
}

static void *trouble(void *argument)
{
	size_t share = pages / 4, first = (size_t)argument * share, number = first;

	for (int round = 0; round < 40; round++, number += share / 40) {
		char *bytes = at(number), *other;
		size_t count = share / 40;

		switch ((round + (size_t)argument) % 4) {
		case 0:
			check(madvise(bytes, count / 2 * page, MADV_DONTNEED) == 0);
			check_zeros(bytes, count / 2 * page);
			check_pages(bytes + count / 2 * page, number + count / 2, number + count);
			break;
		case 1:
			other = mremap(bytes, count * page, 2 * count * page, MREMAP_MAYMOVE);
			check(other != MAP_FAILED);
			check_pages(other, number, number + count);
			check_zeros(other + count * page, count * page);
			break;
		case 2: {
			pid_t child = fork();

			check(child >= 0);
			if (child == 0) {
				check_pages(bytes, number, number + count);
				_exit(0);
			}
			check_pages(bytes, number, number + count);
			await(child);
			break;
		}
		default:
			check(munmap(bytes, count * page) == 0);
		}
	}
	return NULL;
}

static void everything_at_once(void)
{
	pthread_t threads[4];

	for (size_t i = 0; i < 4; i++)
		check(pthread_create(&threads[i], NULL, trouble, (void *)i) == 0);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
}

/* A child that outlives us, and looks when it is told to. */
static void orphaned(void)
{
	struct timespec moment = { 0, 10000000 };

	if (fork() == 0) {
		while (access("look", F_OK) != 0)
			nanosleep(&moment, NULL);
		check_all();
		printf("the orphan has it all\n");
		fflush(stdout);
		_exit(0);
	}
	printf("orphaned\n");
	fflush(stdout);
	for (;;)
		pause();
}

static void exits(void) { check_page(at(pages / 2), pages / 2); }

static void waits(void)
{
	for (;;)
		pause();
}

static const struct { const char *name; void (*action)(void); } actions[] = {
	{ "threads", with_threads }, { "forks", with_forks }, { "moved", moved },
	{ "moved-and-grown", moved_and_grown }, { "given-back", given_back }, { "unmapped", unmapped },
	{ "by-the-kernel", by_the_kernel }, { "locked", locked }, { "protected", protected },
	{ "wiped-on-fork", wiped_on_fork }, { "executes", executes }, { "at-once", everything_at_once },
	{ "orphaned", orphaned }, { "exits", exits }, { "waits", waits }, { "all", check_all },
};

int main(int count, char **words)
{
	struct timespec moment = { 0, 10000000 };

	arguments = words;
	page = sysconf(_SC_PAGESIZE);
	pages = ((size_t)atoi(words[1]) << 20) / page;
	memory = mmap(NULL, pages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	check(memory != MAP_FAILED);
	for (size_t i = 0; i < pages; i++)
		fill(at(i), i);
	if (count == 3) {
		printf("begun\n");
		fflush(stdout);
		while (access("go", F_OK) != 0)
			nanosleep(&moment, NULL);
	}
	for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
		if (strcmp(actions[i].name, words[2]) == 0)
			actions[i].action();
	printf("right\n");
	return 0;
}

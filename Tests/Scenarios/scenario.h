/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/scenario.h
 *
 * What a scenario says: check() what must hold, checkpoint_here() in the middle, passed() at the
 * end. The runner (Tests/CommandLine/runner.py) talks to it only through empty files in
 * $SCENARIO_DIR, opened and closed at once: no descriptor stays open, no memory is allocated and
 * no signal is sent, so that nothing of ours is part of the state under test.
 *
 *   ready.N    made by the scenario: generation N may be checkpointed; it waits for
 *   go.N       made by the runner when it is done with generation N
 *   blocked.N  as ready.N, but the scenario waits in a system call of its own: "PID NUMBER" inside
 *   ping       made by the runner, removed by whoever waits for go.N: "I run again"
 *   restarted  made by the runner: the processes were killed and brought back
 *   flag.NAME  between the processes of one scenario: tell() makes it, await() waits for it
 *
 * A line "runner: WORD…" in the comment at the head of a scenario instructs the runner; see
 * Scenario in runner.py for the words.
 */
#ifndef SCENARIO_H
#define SCENARIO_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Newer processors lack the older calls; their C libraries use these. */
#ifndef SYS_pause
#define SYS_pause SYS_ppoll
#endif
#ifndef SYS_poll
#define SYS_poll SYS_ppoll
#endif
#ifndef SYS_select
#define SYS_select SYS_pselect6
#endif
#ifdef __powerpc64__
/* Its C library makes these by one call. */
#undef SYS_semtimedop
#undef SYS_msgsnd
#undef SYS_msgrcv
#define SYS_semop      SYS_ipc
#define SYS_semtimedop SYS_ipc
#define SYS_msgsnd     SYS_ipc
#define SYS_msgrcv     SYS_ipc
#undef SYS_select
#define SYS_select SYS__newselect
#endif
#ifdef __i386__
/* Its C library makes these by calls with many behind one number; select has a new one. */
#undef SYS_recvfrom
#undef SYS_sendto
#undef SYS_connect
#undef SYS_msgsnd
#undef SYS_msgrcv
#undef SYS_select
#define SYS_accept     SYS_socketcall
#define SYS_connect    SYS_socketcall
#define SYS_recvfrom   SYS_socketcall
#define SYS_sendto     SYS_socketcall
#define SYS_semop      SYS_ipc
#define SYS_semtimedop SYS_ipc
#define SYS_msgsnd     SYS_ipc
#define SYS_msgrcv     SYS_ipc
#define SYS_select     SYS__newselect
#endif
#ifndef SYS_epoll_wait
#define SYS_epoll_wait SYS_epoll_pwait
#endif

#define UNUSED_FUNCTION __attribute__((unused, noinline)) static

#ifdef __powerpc64__
enum { page_size = 65536, mebibyte = 1 << 20 };
#else
enum { page_size = 4096, mebibyte = 1 << 20 };
#endif

/* Counted in memory and thus restored with it: the next generation to be announced. */
static int scenario_generation;
/* Where the flag files are; a scenario that changes its root directory changes this too. */
static const char *scenario_directory;

UNUSED_FUNCTION _Noreturn void check_failed(const char *file, int line, const char *truth)
{
	int error = errno;

	dprintf(2, "%s:%d: failed in %d: %s (errno %d, %s)\n", file, line, (int)getpid(), truth,
		error, strerror(error));
	_exit(1);
}

#define check(truth) ((truth) ? (void)0 : check_failed(__FILE__, __LINE__, #truth))

/* This machine lacks what the scenario is about; the runner reports it as skipped, with the
 * reason. */
UNUSED_FUNCTION _Noreturn void cannot_run_here(const char *reason)
{
	dprintf(2, "SKIP: %s\n", reason);
	_exit(77);
}

UNUSED_FUNCTION int passed(void)
{
	dprintf(1, "PASS\n");
	return 0;
}

UNUSED_FUNCTION void path_in_scenario(char path[PATH_MAX], const char *name)
{
	if (!scenario_directory)
		scenario_directory = getenv("SCENARIO_DIR");
	if (!scenario_directory)
		scenario_directory = ".";
	check(snprintf(path, PATH_MAX, "%s/%s", scenario_directory, name) < PATH_MAX);
}

UNUSED_FUNCTION void pause_briefly(void)
{
	struct timespec rest = { .tv_nsec = 2 * 1000 * 1000 };

	nanosleep(&rest, NULL);
}

UNUSED_FUNCTION void flag(const char *name, const char *contents)
{
	char path[PATH_MAX], aside[PATH_MAX];
	int file;

	/* Renamed into place, so that nobody reads half of it. */
	path_in_scenario(path, name);
	check(snprintf(aside, sizeof aside, "%.4000s.%d~", path, (int)gettid()) < PATH_MAX);
	file = open(aside, O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
	check(file >= 0);
	check(write(file, contents, strlen(contents)) == (ssize_t)strlen(contents));
	check(close(file) == 0);
	check(rename(aside, path) == 0);
}

UNUSED_FUNCTION bool is_flagged(const char *name)
{
	char path[PATH_MAX];

	path_in_scenario(path, name);
	return access(path, F_OK) == 0;
}

/* Says `what` to the other processes of the scenario. */
UNUSED_FUNCTION void tell(const char *what)
{
	char name[NAME_MAX];

	snprintf(name, sizeof name, "flag.%s", what);
	flag(name, "");
}

UNUSED_FUNCTION void await(const char *what)
{
	char name[NAME_MAX];

	snprintf(name, sizeof name, "flag.%s", what);
	while (!is_flagged(name))
		pause_briefly();
}

UNUSED_FUNCTION bool was_restarted(void)
{
	return is_flagged("restarted");
}

/* Waits until the runner is done with the present generation, without announcing it: for all the
 * processes and threads but the one that calls checkpoint_here(). */
UNUSED_FUNCTION void wait_for_go(int generation)
{
	char go[32], ping[PATH_MAX];

	snprintf(go, sizeof go, "go.%d", generation);
	path_in_scenario(ping, "ping");
	while (!is_flagged(go)) {
		unlink(ping);
		pause_briefly();
	}
}

/* Frozen inside this call; killed and restarted inside it when the runner wants that. */
UNUSED_FUNCTION void checkpoint_here(void)
{
	int generation = scenario_generation++;
	char ready[32];

	snprintf(ready, sizeof ready, "ready.%d", generation);
	flag(ready, "");
	wait_for_go(generation);
}

/* Announces that the calling thread is about to block in system call `number`, where the
 * checkpoint is to find it. Nobody waits for the runner: the call must end by itself. */
UNUSED_FUNCTION void checkpoint_in_the_next(long number)
{
	char blocked[32], where[64];

	snprintf(blocked, sizeof blocked, "blocked.%d", scenario_generation++);
	snprintf(where, sizeof where, "%d %ld", (int)gettid(), number);
	flag(blocked, where);
}

UNUSED_FUNCTION bool is_asleep(pid_t id)
{
	char path[64], text[512];
	const char *end;
	ssize_t count;
	int file;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)id);
	file = open(path, O_RDONLY | O_CLOEXEC);
	check(file >= 0);
	count = read(file, text, sizeof text - 1);
	check(close(file) == 0);
	text[count > 0 ? count : 0] = 0;
	end = strrchr(text, ')');
	return end && (end[2] == 'S' || end[2] == 'D');
}

/* Returns as soon as thread `id` (a child's or one of ours) sleeps in system call `number`. */
UNUSED_FUNCTION void await_blocked_in(pid_t id, long number)
{
	char path[64], text[256];

	snprintf(path, sizeof path, "/proc/%d/syscall", (int)id);
	for (;;) {
		int file = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t count;
		long present = -1;

		check(file >= 0);
		count = read(file, text, sizeof text - 1);
		check(close(file) == 0);
		text[count > 0 ? count : 0] = 0;
		/* A tracer that holds it shows the call as well. */
		if (sscanf(text, "%ld", &present) == 1 && present == number && is_asleep(id))
			return;
		pause_briefly();
	}
}

/* ---- for what many scenarios ask ---- */

/* Bytes that look random and are known from `seed` alone. */
UNUSED_FUNCTION void fill(void *start, size_t count, uint64_t seed)
{
	unsigned char *bytes = start;

	for (size_t i = 0; i < count; i++) {
		if (i % 8 == 0)
			seed = seed * 6364136223846793005u + 1442695040888963407u;
		bytes[i] = seed >> (8 * (i % 8));
	}
}

UNUSED_FUNCTION bool is_filled(const void *start, size_t count, uint64_t seed)
{
	const unsigned char *bytes = start;

	for (size_t i = 0; i < count; i++) {
		if (i % 8 == 0)
			seed = seed * 6364136223846793005u + 1442695040888963407u;
		if (bytes[i] != (unsigned char)(seed >> (8 * (i % 8))))
			return false;
	}
	return true;
}

UNUSED_FUNCTION bool is_zero(const void *start, size_t count)
{
	const unsigned char *bytes = start;

	for (size_t i = 0; i < count; i++)
		if (bytes[i])
			return false;
	return true;
}

/* Private anonymous memory; whole pages. */
UNUSED_FUNCTION void *memory(size_t count)
{
	void *start = mmap(NULL, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	check(start != MAP_FAILED);
	return start;
}

/* Memory that children share. */
UNUSED_FUNCTION void *shared_memory(size_t count)
{
	void *start = mmap(NULL, count, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	check(start != MAP_FAILED);
	return start;
}

/* A new file in the scenario's directory, open for reading and writing, with `count` bytes of
 * fill(seed). */
UNUSED_FUNCTION int file_with(const char *name, size_t count, uint64_t seed)
{
	char path[PATH_MAX];
	void *bytes = memory(count ? count : 1);
	int file;

	path_in_scenario(path, name);
	file = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0644);
	check(file >= 0);
	fill(bytes, count, seed);
	check(write(file, bytes, count) == (ssize_t)count);
	check(lseek(file, 0, SEEK_SET) == 0);
	check(munmap(bytes, count ? count : 1) == 0);
	return file;
}

UNUSED_FUNCTION void delete_file(const char *name)
{
	char path[PATH_MAX];

	path_in_scenario(path, name);
	check(unlink(path) == 0);
}

UNUSED_FUNCTION void check_exits_with(pid_t child, int status)
{
	int end;

	check(waitpid(child, &end, 0) == child);
	check(WIFEXITED(end));
	check(WEXITSTATUS(end) == status);
}

UNUSED_FUNCTION void check_dies_of(pid_t child, int number)
{
	int end;

	check(waitpid(child, &end, 0) == child);
	check(WIFSIGNALED(end));
	check(WTERMSIG(end) == number);
}

/* Nanoseconds of CLOCK_MONOTONIC. */
UNUSED_FUNCTION int64_t now(void)
{
	struct timespec time;

	check(clock_gettime(CLOCK_MONOTONIC, &time) == 0);
	return time.tv_sec * 1000000000ll + time.tv_nsec;
}

/* Does touching `address` (writing to it, if asked) raise SIGSEGV or SIGBUS? Asked of a child, so
 * that nothing of ours changes. */
UNUSED_FUNCTION bool faults_at(volatile char *address, bool writing)
{
	int end;
	pid_t child = fork();

	check(child >= 0);
	if (child == 0) {
		struct sigaction action = { .sa_handler = SIG_DFL };

		sigaction(SIGSEGV, &action, NULL);
		sigaction(SIGBUS, &action, NULL);
		if (writing)
			*address = 1;
		else
			(void)*address;
		_exit(0);
	}
	check(waitpid(child, &end, 0) == child);
	return WIFSIGNALED(end) && (WTERMSIG(end) == SIGSEGV || WTERMSIG(end) == SIGBUS);
}

/* Is `word` among the VmFlags of the mapping that holds `address`, in /proc/self/smaps? */
UNUSED_FUNCTION bool has_vm_flag(const void *address, const char *word)
{
	FILE *maps = fopen("/proc/self/smaps", "re");
	char line[8192], pattern[16];
	unsigned long start, end;
	bool inside = false, found = false;

	check(maps);
	snprintf(pattern, sizeof pattern, " %s ", word);
	while (fgets(line, sizeof line, maps)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			inside = start <= (uintptr_t)address && (uintptr_t)address < end;
		else if (inside && strncmp(line, "VmFlags:", 8) == 0)
			found = strstr(line, pattern) != NULL;
	}
	fclose(maps);
	return found;
}

/* Does the mapping that starts at `memory` have huge pages of hugetlbfs? */
UNUSED_FUNCTION bool is_huge(const void *memory)
{
	FILE *maps = fopen("/proc/self/smaps", "re");
	unsigned long start, size = 0;
	bool found = false;
	char line[8192];

	check(maps);
	while (size == 0 && fgets(line, sizeof line, maps)) {
		if (sscanf(line, "%lx-", &start) == 1 && strchr(line, '-') && start == (uintptr_t)memory)
			found = true;
		if (found)
			sscanf(line, "KernelPageSize: %lu", &size);
	}
	check(fclose(maps) == 0);
	return size > 64;
}

/* Does /proc/self/fdinfo tell of `word` for the descriptor? */
UNUSED_FUNCTION bool has_descriptor_info(int descriptor, const char *word)
{
	char path[64], text[4096];
	ssize_t count;
	int file;

	snprintf(path, sizeof path, "/proc/self/fdinfo/%d", descriptor);
	file = open(path, O_RDONLY | O_CLOEXEC);
	check(file >= 0);
	count = read(file, text, sizeof text - 1);
	check(count >= 0 && close(file) == 0);
	text[count] = 0;
	return strstr(text, word) != NULL;
}

#endif

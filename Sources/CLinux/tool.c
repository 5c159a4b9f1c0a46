/* SPDX-License-Identifier: Apache-2.0 */
#include "CLinux.h"

#include <getopt.h>
#include <malloc.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>

static int argument_count;
static char **argument_vector;

/* glibc hands main's three arguments to every constructor too, in static programs as well, so the
 * Swift side needs no main of its own to reach them. */
__attribute__((constructor)) static void keep_arguments(int argc, char **argv, char **envp)
{
	(void)envp;
	argument_count = argc;
	argument_vector = argv;
}

int cr_argument_count(void)
{
	return argument_count;
}

char **cr_arguments(void)
{
	return argument_vector;
}

char **cr_environment(void)
{
	return environ;
}

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

void cr_reserve_heap(unsigned long bytes)
{
	unsigned long page = (unsigned long)sysconf(_SC_PAGESIZE);
	char *block, *start;

	/* Large buffers come from the heap too, and what was freed stays. */
	mallopt(M_MMAP_THRESHOLD, 16 << 20);
	mallopt(M_TRIM_THRESHOLD, 256 << 20);
	block = malloc(bytes);
	if (!block)
		return;
	start = (char *)(((unsigned long)block + page - 1) & ~(page - 1));
	madvise(start, (bytes - (unsigned long)(start - block)) & ~(page - 1), MADV_POPULATE_WRITE);
	free(block);
}

int cr_getopt(int argc, char **argv, const char *short_options,
	      const struct cr_long_option *long_options, int count, int restart)
{
	struct option table[count + 1];

	memset(table, 0, sizeof(table));
	for (int i = 0; i < count; i++) {
		table[i].name = long_options[i].name;
		table[i].has_arg = long_options[i].argument;
		table[i].val = long_options[i].value;
	}
	if (restart)
		optind = 0; /* 0 and not 1: glibc then forgets a half-read cluster of short options */
	int found = getopt_long(argc, argv, short_options, table, NULL);

	/* '?' is both its word for an error and what `-?` gives. The option itself ends its word. */
	if (found == '?') {
		const char *word = argv[optind - 1];

		if (word[0] != '-' || word[1] == '-' || word[strlen(word) - 1] != '?')
			return CR_OPTION_ERROR;
	}
	return found;
}

const char *cr_option_argument(void)
{
	return optarg;
}

int cr_operand_index(void)
{
	return optind;
}

int cr_terminal_columns(int fd)
{
	struct winsize size;

	if (!isatty(fd))
		return 0;
	if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		return 80;
	return size.ws_col;
}

int cr_foreground_group(int fd)
{
	pid_t group = tcgetpgrp(fd);

	return group < 0 ? -errno : group;
}

int cr_set_foreground_group(int fd, int group)
{
	uint64_t old;
	int result;

	/* A background process that sets the group is stopped by SIGTTOU unless it is blocked. */
	cr_block_signals(1ull << (SIGTTOU - 1), &old);
	result = tcsetpgrp(fd, group) == 0 ? 0 : -errno;
	cr_set_signal_mask(old);
	return result;
}

static volatile sig_atomic_t interrupt;

static void note_interrupt(int number)
{
	if (interrupt == 0)
		interrupt = number;
}

void cr_note_interrupts(void)
{
	static const int numbers[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
	struct sigaction before, noting = { .sa_handler = note_interrupt };

	/* SA_RESETHAND: who asks twice is served at once. */
	noting.sa_flags = SA_RESTART | SA_RESETHAND;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		sigaction(numbers[i], NULL, &before);
		if (before.sa_handler != SIG_IGN)
			sigaction(numbers[i], &noting, NULL);
	}
}

int cr_interrupt_noted(void)
{
	return interrupt;
}

static void fill_set(uint64_t bits, sigset_t *set)
{
	sigemptyset(set);
	for (int number = 1; number <= 64; number++)
		if (bits >> (number - 1) & 1)
			sigaddset(set, number); /* refuses the two that glibc keeps for itself */
}

static uint64_t bits_of(const sigset_t *set)
{
	uint64_t bits = 0;

	for (int number = 1; number <= 64; number++)
		if (sigismember(set, number) == 1)
			bits |= 1ull << (number - 1);
	return bits;
}

int cr_block_signals(uint64_t bits, uint64_t *old)
{
	sigset_t set, before;

	fill_set(bits, &set);
	if (sigprocmask(SIG_BLOCK, &set, &before) != 0)
		return -errno;
	*old = bits_of(&before);
	return 0;
}

int cr_set_signal_mask(uint64_t bits)
{
	sigset_t set;

	fill_set(bits, &set);
	return sigprocmask(SIG_SETMASK, &set, NULL) == 0 ? 0 : -errno;
}

int cr_take_signal(uint64_t bits, int milliseconds, struct cr_signal *out)
{
	sigset_t set;
	siginfo_t info;
	struct timespec limit = { milliseconds / 1000, milliseconds % 1000 * 1000000L };
	int number;

	fill_set(bits, &set);
	number = milliseconds < 0 ? sigwaitinfo(&set, &info) : sigtimedwait(&set, &info, &limit);
	if (number < 0)
		return -errno;
	out->number = number;
	out->code = info.si_code;
	out->sender = info.si_pid;
	out->value = info.si_code == SI_QUEUE ? (long)info.si_value.sival_ptr : 0;
	return 0;
}

int cr_queue_signal(int process, int number, long value)
{
	union sigval with = { .sival_ptr = (void *)value };

	return sigqueue(process, number, with) == 0 ? 0 : -errno;
}

void cr_suffer_signal(int number)
{
	sigset_t set, before;

	signal(number, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, number);
	raise(number);
	sigprocmask(SIG_UNBLOCK, &set, &before);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

void cr_set_signal_ignored(int number, int ignored)
{
	signal(number, ignored ? SIG_IGN : SIG_DFL);
}

int cr_poll_child(int process, int *status)
{
	pid_t pid = waitpid(process, status, __WALL | WUNTRACED | WCONTINUED | WNOHANG);

	return pid < 0 ? -errno : pid;
}

int cr_status_exited(int status)
{
	return WIFEXITED(status);
}

int cr_status_exit_code(int status)
{
	return WEXITSTATUS(status);
}

int cr_status_signal(int status)
{
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

int cr_status_stop_signal(int status)
{
	return WIFSTOPPED(status) ? WSTOPSIG(status) : 0;
}

int cr_status_continued(int status)
{
	return WIFCONTINUED(status);
}

void cr_forbid_core(void)
{
	struct rlimit none = { 0, 0 };

	/* The limit does not hold for a core pattern that is a pipe; being undumpable does. */
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

int cr_run_command(const char *command, uint64_t mask)
{
	const char *arguments[] = { "sh", "-c", command, NULL };
	posix_spawnattr_t attributes;
	sigset_t set;
	pid_t child;
	int status, failure;

	fill_set(mask, &set);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &set);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	failure = posix_spawn(&child, "/bin/sh", NULL, &attributes, (char *const *)arguments,
			      environ);
	posix_spawnattr_destroy(&attributes);
	if (failure)
		return -failure;
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return status;
}

int cr_execute(const char *file, char *const *arguments)
{
	execvp(file, arguments);
	return -errno;
}

int cr_set_environment(const char *name, const char *value)
{
	return setenv(name, value, 1) == 0 ? 0 : -errno;
}

const char *cr_get_environment(const char *name)
{
	return getenv(name);
}

void cr_exit(int status)
{
	exit(status);
}

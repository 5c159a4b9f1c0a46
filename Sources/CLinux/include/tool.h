/* SPDX-License-Identifier: Apache-2.0
 * What a command-line tool needs of the C library and the kernel, in shapes that Swift can import:
 * arguments, getopt_long, terminals, signals taken one by one, and commands run for a user.
 */
#ifndef CR_TOOL_H
#define CR_TOOL_H

#include <stdint.h>
#include <stdlib.h>

/* The process's own argument and environment vectors, from before main; both end with NULL. */
int cr_argument_count(void);
char **cr_arguments(void);
char **cr_environment(void);

/* One long option; `argument` is 0 none, 1 required, 2 optional, as struct option of getopt.h. */
struct cr_long_option {
	const char *name;
	int argument;
	int value;
};

/* getopt_long(3) over `count` long options. Returns the value of the option found (a short one's
 * character), CR_OPTION_ERROR after it has told on stderr what is wrong, -1 at the first operand
 * that remains. The first call of a run passes `restart` as 1. */
#define CR_OPTION_ERROR -2
int cr_getopt(int argc, char **argv, const char *short_options,
	      const struct cr_long_option *long_options, int count, int restart);
/* The argument of the option just found, or NULL; and the index of the first operand. */
const char *cr_option_argument(void);
int cr_operand_index(void);

/* Columns of the terminal behind a descriptor; 0 if it is none, 80 if it will not tell. */
int cr_terminal_columns(int fd);
/* tcgetpgrp(3), tcsetpgrp(3) with SIGTTOU held off; -errno on failure. */
int cr_foreground_group(int fd);
int cr_set_foreground_group(int fd, int group);

/* Makes the allocator keep at least so many bytes at hand, pages and all, so that no allocation has
 * to wait for the kernel while somebody is stopped. Failure changes nothing. */
void cr_reserve_heap(unsigned long bytes);

/* From now on the first of SIGHUP, SIGINT, SIGQUIT and SIGTERM is only noted; a second one of the same
 * kind has its default effect. Ignored ones stay ignored. */
void cr_note_interrupts(void);
/* The signal that was noted, or 0. */
int cr_interrupt_noted(void);

/* What is known of a signal that was taken from the queue. */
struct cr_signal {
	int number;
	int code;   /* si_code: SI_USER 0, SI_KERNEL 0x80, SI_QUEUE -1, CLD_* for SIGCHLD */
	int sender; /* si_pid; for SIGCHLD the child */
	long value; /* si_value of sigqueue(3) */
};

/* Blocks the signals of `set` (bit n-1 for signal n) in this thread and stores the old mask. */
int cr_block_signals(uint64_t set, uint64_t *old);
int cr_set_signal_mask(uint64_t set);
/* Takes one blocked signal of `set`; waits `milliseconds`, or for ever if negative. -errno: EAGAIN
 * when the time is over, EINTR. */
int cr_take_signal(uint64_t set, int milliseconds, struct cr_signal *out);
/* Sends a signal with a value, as sigqueue(3). */
int cr_queue_signal(int process, int number, long value);
/* Stops or ends this process by a signal at its default action, although it was blocked or ignored.
 * Returns if the signal did neither (a stop in an orphaned group), or after being continued. */
void cr_suffer_signal(int number);
/* Sets a signal's action to ignored (1) or default (0). */
void cr_set_signal_ignored(int number, int ignored);

/* waitpid(2) with __WALL | WUNTRACED | WCONTINUED | WNOHANG: the pid, 0 for none, -errno. */
int cr_poll_child(int process, int *status);
/* The parts of a wait status. */
int cr_status_exited(int status);
int cr_status_exit_code(int status);
int cr_status_signal(int status);      /* the signal that killed it, or 0 */
int cr_status_stop_signal(int status); /* the signal that stopped it, or 0 */
int cr_status_continued(int status);

/* Makes sure that this process leaves no core file, however it ends. */
void cr_forbid_core(void);
/* As system(3), with the given signal mask and without a hand on our own signals: runs a command
 * through /bin/sh and waits; a wait status, or -errno. */
int cr_run_command(const char *command, uint64_t mask);
/* execvp(3); returns -errno. */
int cr_execute(const char *file, char *const *arguments);
int cr_set_environment(const char *name, const char *value);
const char *cr_get_environment(const char *name);
_Noreturn void cr_exit(int status);

#endif

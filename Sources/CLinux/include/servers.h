/* SPDX-License-Identifier: Apache-2.0
 * Processes of ours that go on when the command that made them has ended.
 */
#ifndef CR_SERVERS_H
#define CR_SERVERS_H

/* Makes a process that is nobody's child, leads a session of its own and hears no signal that can be
 * blocked. 0 in it, 1 in the caller, -errno. Not for a process with threads. */
int cr_fork_apart(void);

/* The same as a child of the caller, unheard by wait(2) without __WALL, with one descriptor table for
 * both. 0 in it, its pid in the caller, -errno. */
int cr_fork_beside(void);

/* Waits until one of `count` descriptors can be read (or tells an error), for so long at most. The
 * answer is a byte for each of them. How many there are, or -errno. */
int cr_await_readable(const int *files, unsigned char *answers, int count, int milliseconds);

/* Closes all descriptors but these, which are in rising order. */
void cr_close_all_but(const int *files, int count);

/* Memory for both sides of a fork, filled with zeros; and memory without any rights. As low as it can
 * be had, so that its address is one in programs of 32 bits, too. NULL where there is none. */
void *cr_map_low(unsigned long count, int shared, int rights);

#endif

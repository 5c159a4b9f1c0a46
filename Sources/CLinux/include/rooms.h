/* SPDX-License-Identifier: Apache-2.0
 * Processes in pid namespaces of their own, and what their first process and the one outside who
 * started it tell each other.
 */
#ifndef CR_ROOMS_H
#define CR_ROOMS_H

#include <stdint.h>

/* What a message is about. */
enum {
	CR_ROOM_STOPPED = 1, /* the restarted root, by the signal `value` */
	CR_ROOM_READY = 3,   /* signals are handed on from now on */
	CR_ROOM_ENDED = 2,   /* it, or the tool in its place, with the wait status `value` */
};

/* fork(3): 0 in the child, a pid, -errno. From then on the child tells, and the parent hears. */
int cr_room_fork(void);
/* True in a child that cr_room_fork() made. */
int cr_in_room(void);
/* In the child; outside of a room nothing. */
void cr_room_tell(int kind, int value);
/* In the child, while it still sees them: keeps the outside's /proc, for cr_room_outside(), -1 if there is none. */
void cr_room_keep_outside(void);
int cr_room_outside(void);
/* In the child: waits for all its children, with nothing open, and ends. */
_Noreturn void cr_room_linger(int status);
/* In the parent, which has blocked `signals`: 1 a message, 2 one of the signals waits to be taken, 0
 * the child tells no more. */
int cr_room_hear(uint64_t signals, int *kind, int *value);
/* waitpid(2) for just this child; a wait status, or -errno. */
int cr_room_end(int child);

/* Makes a process in the namespaces of another, those of `kinds` (CLONE_NEW*). In that one `*child` is
 * 0; in the caller it is what to wait for, which ends as that one does; where it is negative the result
 * is -errno, of the caller or of a process that is to say so and end. */
int cr_room_enter(int process, int kinds, int *child);

/* Gives this thread all its permitted capabilities as ambient ones, so that they outlive execve(2). */
int cr_keep_capabilities(void);

#endif

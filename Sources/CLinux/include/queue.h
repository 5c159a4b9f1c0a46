/* SPDX-License-Identifier: Apache-2.0
 * POSIX message queues (mq_overview(7)). Everything returns -errno, never sets errno.
 */
#ifndef CR_QUEUE_H
#define CR_QUEUE_H

#include <stddef.h>
#include <stdint.h>

struct cr_queue {
	/* mq_maxmsg, mq_msgsize, mq_curmsgs */
	uint64_t capacity, message_size, count;
};

/* A name without its slash; flags as mq_open(2)'s, a description by which to wait is never made. */
long cr_queue_open(const char *name, int flags, uint32_t mode, const struct cr_queue *queue);
long cr_queue_unlink(const char *name);
long cr_queue_state(int fd, struct cr_queue *queue);
/* Fills `records`, of `size` bytes, with up to `count` messages in the order in which they are received:
 * priority and length (32 bits each), and message_size bytes. They are taken out and put in again by a
 * process of its own that no signal but SIGKILL stops. How many there were; fd must not block. */
long cr_queue_look(int fd, uint64_t message_size, uint64_t count, void *records, size_t size);
long cr_queue_send(int fd, uint32_t priority, const void *bytes, size_t size);
/* Takes the first message and forgets it. */
long cr_queue_drop(int fd, uint64_t message_size);

#endif

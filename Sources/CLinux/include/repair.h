/* SPDX-License-Identifier: Apache-2.0
 * TCP connections taken down and set up by hand (TCP_REPAIR, linux/tcp.h), which takes CAP_NET_ADMIN.
 * Everything returns -errno, never sets errno.
 */
#ifndef CR_REPAIR_H
#define CR_REPAIR_H

#include <stddef.h>
#include <stdint.h>

struct cr_connection {
	/* Of the next byte that the program sends, and that it is sent; an end counts as one. */
	uint32_t send_sequence, receive_sequence;
	/* struct tcp_repair_window */
	uint32_t window[5];
	/* What the other end said that it takes, in a segment. */
	uint32_t segment_size;
	/* TCP_TIMESTAMP */
	uint32_t timestamp;
	/* SIOCOUTQ and SIOCOUTQNSD: bytes that were not acknowledged, and of these not sent. */
	uint32_t unacknowledged, unsent;
	/* Bytes that were put into the buffer. */
	uint32_t queued;
};

/* Looks at a connection, and at up to size bytes of what it has sent or is to send. A connection in repair
 * does not work; so this is done by a process of its own that no signal but SIGKILL stops. */
long cr_connection_look(int fd, struct cr_connection *state, void *queue, size_t size);

/* Takes it out of repair: with a probe of the other end, or silently. SO_REUSEADDR, which repair changes, is
 * as it was before or as the caller says. */
long cr_connection_end_repair(int fd, int probe, int reuse);

#endif

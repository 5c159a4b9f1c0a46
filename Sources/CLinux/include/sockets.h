/* SPDX-License-Identifier: Apache-2.0
 * Messages of sockets, whose structures hold pointers. Everything returns -errno, never sets errno.
 */
#ifndef CR_SOCKETS_H
#define CR_SOCKETS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Names that are expressions on some processors, which Swift does not see. */
enum {
	CR_SO_RCVTIMEO = SO_RCVTIMEO,
	CR_SO_SNDTIMEO = SO_SNDTIMEO,
	CR_SO_TIMESTAMP = SO_TIMESTAMP,
	CR_SO_TIMESTAMPNS = SO_TIMESTAMPNS,
	CR_SO_TIMESTAMPING = SO_TIMESTAMPING,
};

/* What recvmsg(2) tells besides the bytes. */
struct cr_message {
	uint8_t sender[128];
	uint32_t sender_size;
	/* Descriptors travel with it (SCM_RIGHTS); those that we were given are closed again. */
	int32_t has_descriptors;
	/* Of the message that did not fit into the buffer. */
	int32_t is_cut;
};

/* Looks at what waits, without taking it or waiting. packets: the result is the size of the whole
 * message, even if that is more than count. */
long cr_socket_peek(int fd, void *buffer, size_t count, int packets, struct cr_message *message);

/* The instructions (struct sock_filter, 8 bytes each) of SO_ATTACH_FILTER: their number, or -EACCES
 * for a program that is none of these. There may be BPF_MAXINSNS. */
long cr_socket_filter(int fd, void *buffer, size_t count);

/* SO_ATTACH_FILTER of count instructions. */
long cr_socket_attach_filter(int fd, const void *instructions, size_t count);

/*
 * Takes away what is left of a TCP connection that has ended (TIME_WAIT), which keeps others from its
 * ports for a minute. Both names are a struct sockaddr_in or sockaddr_in6. 1 if there was something
 * (which takes CAP_NET_ADMIN, and CONFIG_INET_DIAG_DESTROY), 0 if not.
 */
long cr_forget_connection(const void *local, const void *remote);

#endif

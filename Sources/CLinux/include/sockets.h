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

/* linux/net/scm.h, SCM_MAX_FD. */
enum { CR_MAX_DESCRIPTORS = 253 };

/* What recvmsg(2) tells besides the bytes. */
struct cr_message {
	uint8_t sender[128];
	uint32_t sender_size;
	/* Of the message that did not fit into the buffer; of what travels with it that we were not given. */
	int32_t is_cut, lacks_descriptors;
	/* Descriptors that travel with it (SCM_RIGHTS), as the caller has them now, with O_CLOEXEC. */
	int32_t descriptor_count, descriptors[CR_MAX_DESCRIPTORS];
	/* Who has sent it, if the socket tells that (SO_PASSCRED). */
	int32_t has_credentials;
	int32_t process;
	uint32_t user, group;
};

/* Looks at what waits, without taking it or waiting. packets: the result is the size of the whole
 * message, even if that is more than count. */
long cr_socket_peek(int fd, void *buffer, size_t count, int packets, struct cr_message *message);

/* Likewise of a stream, but only those of the messages in it that fit into count bytes as a whole: the next
 * one is cut off by a fault. -EFAULT if the first does not fit. */
long cr_socket_peek_whole(int fd, void *buffer, size_t count);

/* Sends it without waiting and without SIGPIPE: bytes of the caller's with the descriptors and credentials
 * of the message, to its sender's name if it has one, which is then who is to get it. */
long cr_socket_send(int fd, const void *bytes, size_t count, const struct cr_message *message);

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

/* SPDX-License-Identifier: Apache-2.0 */
#include "CLinux.h"
#include <linux/filter.h>
#include <sys/socket.h>

/* linux/socket.h, which the C library does not have yet: a pidfd of the sender (SO_PASSPIDFD). */
enum { scm_pidfd = 4 };

static void take_numbers(const unsigned char *data, size_t count, struct cr_message *message)
{
	for (size_t i = 0; i + sizeof(int) <= count; i += sizeof(int)) {
		int number;

		memcpy(&number, data + i, sizeof number);
		if (message->descriptor_count < CR_MAX_DESCRIPTORS)
			message->descriptors[message->descriptor_count++] = number;
	}
}

static void take_parts(struct msghdr *header, struct cr_message *message)
{
	for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part; part = CMSG_NXTHDR(header, part)) {
		const unsigned char *data = CMSG_DATA(part);
		size_t count = part->cmsg_len - CMSG_LEN(0);

		if (part->cmsg_level != SOL_SOCKET)
			continue;
		if (part->cmsg_type == SCM_RIGHTS) {
			take_numbers(data, count, message);
		} else if (part->cmsg_type == SCM_CREDENTIALS && count >= sizeof(struct ucred)) {
			struct ucred sender;

			memcpy(&sender, data, sizeof sender);
			message->has_credentials = 1;
			message->process = sender.pid;
			message->user = sender.uid;
			message->group = sender.gid;
		} else if (part->cmsg_type == scm_pidfd && count >= sizeof(int)) {
			int number;

			memcpy(&number, data, sizeof number);
			close(number);
		}
	}
}

long cr_socket_peek(int fd, void *buffer, size_t count, int packets, struct cr_message *message)
{
	/* Room for CR_MAX_DESCRIPTORS, credentials, a pidfd and the word of a security module. */
	union {
		char bytes[2048];
		struct cmsghdr aligned;
	} control;
	struct iovec part = { .iov_base = buffer, .iov_len = count };
	struct msghdr header = {
		.msg_name = message->sender, .msg_namelen = sizeof message->sender,
		.msg_iov = &part, .msg_iovlen = 1,
		.msg_control = control.bytes, .msg_controllen = sizeof control,
	};
	ssize_t result = recvmsg(fd, &header,
		MSG_PEEK | MSG_DONTWAIT | MSG_CMSG_CLOEXEC | (packets ? MSG_TRUNC : 0));

	if (result < 0)
		return -errno;
	message->descriptor_count = message->has_credentials = 0;
	take_parts(&header, message);
	message->lacks_descriptors = (header.msg_flags & MSG_CTRUNC) != 0;
	message->sender_size = header.msg_namelen;
	message->is_cut = (header.msg_flags & MSG_TRUNC) != 0;
	return result;
}

long cr_socket_peek_whole(int fd, void *buffer, size_t count)
{
	/* The kernel copies a message as a whole or not at all, and nothing is at the address 0. */
	struct iovec parts[] = { { buffer, count }, { NULL, 1 << 20 } };
	struct msghdr header = { .msg_iov = parts, .msg_iovlen = 2 };
	ssize_t result = recvmsg(fd, &header, MSG_PEEK | MSG_DONTWAIT);

	return result < 0 ? -errno : result;
}

static size_t add_part(struct msghdr *header, size_t used, int type, const void *data, size_t count)
{
	struct cmsghdr *part = (struct cmsghdr *)((char *)header->msg_control + used);

	part->cmsg_level = SOL_SOCKET;
	part->cmsg_type = type;
	part->cmsg_len = CMSG_LEN(count);
	memcpy(CMSG_DATA(part), data, count);
	return used + CMSG_SPACE(count);
}

long cr_socket_send(int fd, const void *bytes, size_t count, const struct cr_message *message)
{
	union {
		char bytes[2048];
		struct cmsghdr aligned;
	} control = { .bytes = { 0 } };
	struct ucred sender = { message->process, message->user, message->group };
	struct iovec part = { .iov_base = (void *)bytes, .iov_len = count };
	struct msghdr header = {
		.msg_name = message->sender_size ? (void *)message->sender : NULL,
		.msg_namelen = message->sender_size,
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes,
	};
	size_t used = 0;

	if (message->descriptor_count)
		used = add_part(&header, used, SCM_RIGHTS, message->descriptors,
			message->descriptor_count * sizeof(int));
	if (message->has_credentials)
		used = add_part(&header, used, SCM_CREDENTIALS, &sender, sizeof sender);
	header.msg_controllen = used;
	if (!used)
		header.msg_control = NULL;
	ssize_t result = sendmsg(fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL);

	return result < 0 ? -errno : result;
}

long cr_socket_filter(int fd, void *buffer, size_t count)
{
	/* Of this option alone it counts instructions and not bytes. */
	socklen_t size = count;

	return getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, buffer, &size) < 0 ? -errno : (long)size;
}

long cr_socket_attach_filter(int fd, const void *instructions, size_t count)
{
	struct sock_fprog program = { .len = count, .filter = (void *)instructions };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0 ? -errno : 0;
}

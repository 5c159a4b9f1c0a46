/* SPDX-License-Identifier: Apache-2.0 */
#include "CLinux.h"
#include <linux/filter.h>
#include <sys/socket.h>

static void close_received(struct msghdr *header, struct cr_message *message)
{
	for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part; part = CMSG_NXTHDR(header, part)) {
		const unsigned char *data = CMSG_DATA(part);
		size_t count = part->cmsg_len - CMSG_LEN(0);

		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
			continue;
		message->has_descriptors = 1;
		for (size_t i = 0; i + sizeof(int) <= count; i += sizeof(int)) {
			int number;

			memcpy(&number, data + i, sizeof number);
			close(number);
		}
	}
}

long cr_socket_peek(int fd, void *buffer, size_t count, int packets, struct cr_message *message)
{
	/* Room for SCM_MAX_FD descriptors, credentials and a pidfd. */
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
	message->has_descriptors = 0;
	close_received(&header, message);
	if (header.msg_flags & MSG_CTRUNC)
		message->has_descriptors = 1;
	message->sender_size = header.msg_namelen;
	message->is_cut = (header.msg_flags & MSG_TRUNC) != 0;
	return result;
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

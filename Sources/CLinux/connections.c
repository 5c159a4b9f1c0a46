/* SPDX-License-Identifier: Apache-2.0 */
#include "CLinux.h"
#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

/* The address and the port of a name; 4 or 16 bytes of the former, or 0 for another family. */
static size_t parts(const void *name, const uint32_t **address, uint16_t *port)
{
	const struct sockaddr_in *four = name;
	const struct sockaddr_in6 *six = name;

	if (four->sin_family == AF_INET) {
		*address = &four->sin_addr.s_addr;
		*port = four->sin_port;
		return 4;
	}
	*address = (const uint32_t *)&six->sin6_addr;
	*port = six->sin6_port;
	return six->sin6_family == AF_INET6 ? 16 : 0;
}

/* As the tables of /proc/net have it: words of the processor, and the port as it is spoken. */
static int spell(char *text, size_t room, const void *name)
{
	const uint32_t *address;
	uint16_t port;
	size_t size = parts(name, &address, &port), done = 0;

	for (size_t i = 0; i < size / 4; i++)
		done += (size_t)snprintf(text + done, room - done, "%08X", address[i]);
	snprintf(text + done, room - done, ":%04X", ntohs(port));
	return size == 0 ? -EAFNOSUPPORT : size == 16;
}

/* Is there such a connection, and has it ended (TIME_WAIT, 6)? */
static int has_ended(const void *local, const void *remote)
{
	char ours[64], theirs[64], line[512], wanted[160];
	int is_six = spell(ours, sizeof ours, local);
	FILE *table;
	int found = 0;

	if (is_six < 0 || spell(theirs, sizeof theirs, remote) != is_six)
		return 0;
	snprintf(wanted, sizeof wanted, ": %s %s 06 ", ours, theirs);
	table = fopen(is_six ? "/proc/self/net/tcp6" : "/proc/self/net/tcp", "re");
	if (!table)
		return 0;
	while (!found && fgets(line, sizeof line, table))
		found = strstr(line, wanted) != NULL;
	fclose(table);
	return found;
}

long cr_forget_connection(const void *local, const void *remote)
{
	struct {
		struct nlmsghdr head;
		struct inet_diag_req_v2 request;
	} order = {
		.head = { .nlmsg_len = sizeof order, .nlmsg_type = SOCK_DESTROY,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
		.request = { .sdiag_protocol = IPPROTO_TCP, .idiag_states = 1 << 6 },
	};
	struct {
		struct nlmsghdr head;
		struct nlmsgerr error;
		char rest[256];
	} answer;
	const uint32_t *address;
	uint16_t port;
	size_t size;
	long result;
	int diagnosis;

	/* One that lives must not be met, whosever it is. */
	if (!has_ended(local, remote))
		return 0;
	order.request.sdiag_family = ((const struct sockaddr *)local)->sa_family;
	size = parts(local, &address, &port);
	memcpy(order.request.id.idiag_src, address, size);
	order.request.id.idiag_sport = port;
	size = parts(remote, &address, &port);
	memcpy(order.request.id.idiag_dst, address, size);
	order.request.id.idiag_dport = port;
	memset(order.request.id.idiag_cookie, 0xff, sizeof order.request.id.idiag_cookie);
	diagnosis = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (diagnosis < 0)
		return -errno;
	result = send(diagnosis, &order, sizeof order, 0);
	if (result >= 0)
		result = recv(diagnosis, &answer, sizeof answer, 0);
	if (result < 0)
		result = -errno;
	else
		result = answer.head.nlmsg_type == NLMSG_ERROR ? answer.error.error : -EIO;
	close(diagnosis);
	return result < 0 ? result : 1;
}

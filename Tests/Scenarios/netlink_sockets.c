/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/netlink_sockets.c
 * Netlink sockets in which nothing waits: their port, groups (high ones too) and options; one that is bound
 * to nothing; one that two processes share by fork, one of which listens for what the kernel will tell.
 */
#include "scenario.h"
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

static struct sockaddr_nl name_of(int file)
{
	struct sockaddr_nl name;

	check(getsockname(file, (void *)&name, &(socklen_t){ sizeof name }) == 0);
	return name;
}

static int option(int file, int option)
{
	int value = -1;

	check(getsockopt(file, SOL_NETLINK, option, &value, &(socklen_t){ sizeof value }) == 0);
	return value;
}

/* Asks for the loopback device, and is told of it. */
static void ask(int file)
{
	struct { struct nlmsghdr head; struct ifinfomsg info; } question = {
		.head = { .nlmsg_len = sizeof question, .nlmsg_type = RTM_GETLINK, .nlmsg_flags = NLM_F_REQUEST,
			.nlmsg_seq = 7 },
		.info = { .ifi_index = 1 },
	};
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	char answer[16384];
	struct nlmsghdr *head = (void *)answer;

	check(sendto(file, &question, sizeof question, 0, (void *)&kernel, sizeof kernel) == sizeof question);
	check(recv(file, answer, sizeof answer, 0) > (ssize_t)sizeof *head);
	check(head->nlmsg_type == RTM_NEWLINK && head->nlmsg_seq == 7);
}

int main(void)
{
	struct sockaddr_nl name = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_ROUTE };
	int route = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), one = 1;
	int loose = socket(AF_NETLINK, SOCK_DGRAM | SOCK_NONBLOCK, NETLINK_ROUTE);
	int events = socket(AF_NETLINK, SOCK_DGRAM, NETLINK_KOBJECT_UEVENT);
	uint32_t groups[4] = { 0 }, later[4] = { 0 };
	socklen_t size = sizeof groups;
	struct sockaddr_nl before;
	pid_t child;

	check(route >= 0 && loose >= 0 && events >= 0);
	check(bind(route, (void *)&name, sizeof name) == 0);
	check(setsockopt(route, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &(int){ RTNLGRP_NEXTHOP }, sizeof(int)) == 0);
	check(setsockopt(route, SOL_NETLINK, NETLINK_PKTINFO, &one, sizeof one) == 0);
	check(setsockopt(route, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof one) == 0);
	check(setsockopt(route, SOL_SOCKET, SO_RCVBUF, &(int){ 50000 }, sizeof(int)) == 0);
	name.nl_groups = 1;
	check(bind(events, (void *)&name, sizeof name) == 0);
	before = name_of(route);
	check(before.nl_pid != 0);
	check(getsockopt(route, SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, groups, &size) == 0);
	child = fork();
	if (child == 0) {
		wait_for_go(0);
		ask(route);
		_exit(name_of(route).nl_pid == before.nl_pid ? 5 : 1);
	}
	checkpoint_here();

	check(fcntl(route, F_GETFD) == FD_CLOEXEC && fcntl(loose, F_GETFL) == (O_RDWR | O_NONBLOCK));
	check(name_of(route).nl_pid == before.nl_pid && name_of(route).nl_groups == before.nl_groups);
	size = sizeof later;
	check(getsockopt(route, SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, later, &size) == 0);
	check(memcmp(groups, later, sizeof groups) == 0 && groups[0] & (1u << (RTNLGRP_NEXTHOP - 1)));
	check(option(route, NETLINK_PKTINFO) == 1 && option(route, NETLINK_EXT_ACK) == 1);
	check(option(route, NETLINK_CAP_ACK) == 0 && option(loose, NETLINK_PKTINFO) == 0);
	check(name_of(loose).nl_pid == 0 && name_of(events).nl_groups == 1);
	check_exits_with(child, 5);
	ask(route);
	ask(loose);
	return passed();
}

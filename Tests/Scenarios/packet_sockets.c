/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/packet_sockets.c
 * Packet sockets: the interface and the protocol, memberships, a filter, options; a child that waits for a
 * packet gets that which is sent after the restart.
 * runner: root
 */
#include "scenario.h"
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>

/* For local experiments (IEEE 802). */
enum { protocol = 0x88b5 };

static struct sockaddr_ll loopback;

static void send_packet(int file, const char *text)
{
	struct sockaddr_ll target = loopback;

	target.sll_halen = 6;
	check(sendto(file, text, strlen(text), 0, (void *)&target, sizeof target) == (ssize_t)strlen(text));
}

static void expect(int file, const char *text)
{
	char got[200];
	ssize_t count;

	count = recv(file, got, sizeof got, 0);
	check(count >= (ssize_t)strlen(text) && memcmp(got, text, strlen(text)) == 0);
}

int main(void)
{
	/* Only what begins with 'y' (behind the link's header, which SOCK_DGRAM takes off before). */
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 'y', 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0xffff), BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = { 4, code };
	struct packet_mreq all = { .mr_type = PACKET_MR_PROMISC };
	struct sockaddr_ll name;
	int one = 1, value = 0, sender, picky, waits;
	socklen_t size = sizeof value;
	pid_t child;

	sender = socket(AF_PACKET, SOCK_DGRAM, 0);
	if (sender < 0)
		cannot_run_here("no packet sockets");
	loopback = (struct sockaddr_ll){ .sll_family = AF_PACKET, .sll_protocol = htons(protocol),
		.sll_ifindex = if_nametoindex("lo") };
	picky = socket(AF_PACKET, SOCK_DGRAM, 0);
	waits = socket(AF_PACKET, SOCK_DGRAM, 0);
	check(setsockopt(picky, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0);
	check(bind(picky, (void *)&loopback, sizeof loopback) == 0);
	check(bind(waits, (void *)&loopback, sizeof loopback) == 0);
	all.mr_ifindex = loopback.sll_ifindex;
	check(setsockopt(picky, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof all) == 0);
	check(setsockopt(picky, SOL_PACKET, PACKET_AUXDATA, &one, sizeof one) == 0);
	child = fork();
	if (child == 0) {
		expect(waits, "yes");
		_exit(9);
	}
	await_blocked_in(child, SYS_recvfrom);
	checkpoint_here();

	size = sizeof name;
	check(getsockname(picky, (void *)&name, &size) == 0);
	check(name.sll_protocol == htons(protocol) && name.sll_ifindex == loopback.sll_ifindex);
	size = sizeof value;
	check(getsockopt(picky, SOL_PACKET, PACKET_AUXDATA, &value, &size) == 0 && value == 1);
	/* It must be a member, to be able to leave. */
	check(setsockopt(picky, SOL_PACKET, PACKET_DROP_MEMBERSHIP, &all, sizeof all) == 0);
	send_packet(sender, "yes");
	check_exits_with(child, 9);
	send_packet(sender, "no");
	send_packet(sender, "yes, indeed");
	expect(picky, "yes");
	expect(picky, "yes, indeed");
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/terminal_ends_closed.c
 * One side of a pair is gone: a slave whose master was closed is hung up; a master whose slave was closed
 * finds the end, behind what still waits for it; one whose slave nobody has opened yet finds nothing.
 */
#include "terminal.h"

int main(void)
{
	int slave, master = new_terminal(&slave), far, near = new_terminal(&far), unopened, held;
	struct pollfd one = { .events = POLLIN };
	char byte;

	close(master);
	check(write(far, "bye", 3) == 3);
	type(near, "left\nbehind", 11);
	await_readable(far, 5);
	close(far);
	unopened = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK);
	check(unopened >= 0 && unlockpt(unopened) == 0);
	checkpoint_here();
	check(read(slave, &byte, 1) == 0);
	check(write(slave, "x", 1) == -1 && errno == EIO);
	check(tcgetpgrp(slave) == -1 && errno == EIO);
	one.fd = near;
	check(poll(&one, 1, 5000) == 1 && one.revents & POLLIN && one.revents & POLLHUP);
	check_reads(near, "byeleft\r\nbehind", 15);
	check(read(near, &byte, 1) == -1 && errno == EIO);
	one.fd = unopened;
	check(poll(&one, 1, 0) == 0);
	check(read(unopened, &byte, 1) == -1 && errno == EAGAIN);
	/* Both can be opened again. */
	held = open(ptsname(near), O_RDWR | O_NOCTTY | O_NONBLOCK);
	check(held >= 0);
	check_reads(held, "left\n", 5);
	check(open(ptsname(unopened), O_RDWR | O_NOCTTY) >= 0);
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/terminal.h: pseudo-terminals, for the scenarios that are about them. */
#ifndef TERMINAL_H
#define TERMINAL_H

#include "scenario.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

/* A new pair; the slave does not wait. */
UNUSED_FUNCTION int new_terminal(int *slave)
{
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	char name[64];

	check(master >= 0);
	check(unlockpt(master) == 0);
	check(ptsname_r(master, name, sizeof name) == 0);
	*slave = open(name, O_RDWR | O_NOCTTY | O_NONBLOCK);
	check(*slave >= 0);
	return master;
}

UNUSED_FUNCTION void set_flags(int terminal, tcflag_t input, tcflag_t output, tcflag_t local)
{
	struct termios settings;

	check(tcgetattr(terminal, &settings) == 0);
	settings.c_iflag = input;
	settings.c_oflag = output;
	settings.c_lflag = local;
	check(tcsetattr(terminal, TCSANOW, &settings) == 0);
}

UNUSED_FUNCTION void type(int master, const void *bytes, size_t count)
{
	check(write(master, bytes, count) == (ssize_t)count);
}

/* One read gets exactly this. The kernel carries bytes over on its own time. */
UNUSED_FUNCTION void check_reads(int fd, const void *bytes, size_t count)
{
	struct pollfd one = { .fd = fd, .events = POLLIN };
	char got[65536];
	ssize_t result;

	check(poll(&one, 1, 5000) == 1);
	result = read(fd, got, sizeof got);
	if (result != (ssize_t)count || memcmp(got, bytes, count) != 0)
		dprintf(2, "%zd bytes instead of %zu: %.*s\n", result, count, result > 0 ? (int)result : 0, got);
	check(result == (ssize_t)count);
	check(memcmp(got, bytes, count) == 0);
}

/* Several reads get exactly this, and then there is no more. */
UNUSED_FUNCTION void check_reads_all(int fd, const void *bytes, size_t count)
{
	struct pollfd one = { .fd = fd, .events = POLLIN };
	char got[65536];
	size_t have = 0;

	while (have < count) {
		ssize_t result;

		check(poll(&one, 1, 5000) == 1);
		result = read(fd, got + have, sizeof got - have);
		check(result > 0);
		have += result;
	}
	check(have == count);
	check(memcmp(got, bytes, count) == 0);
	check(poll(&one, 1, 20) == 0 || !(one.revents & POLLIN));
}

UNUSED_FUNCTION void check_empty(int fd)
{
	struct pollfd one = { .fd = fd, .events = POLLIN };

	check(poll(&one, 1, 0) == 0);
}

/* As many bytes as this can be read. */
UNUSED_FUNCTION void await_readable(int fd, int wanted)
{
	int count;

	do {
		check(ioctl(fd, FIONREAD, &count) == 0);
		if (count < wanted)
			pause_briefly();
	} while (count < wanted);
	check(count == wanted);
}

#endif

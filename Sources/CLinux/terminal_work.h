/* SPDX-License-Identifier: Apache-2.0
 * What looking into the queues of a pseudo-terminal and filling them have in common.
 */
#ifndef CR_TERMINAL_WORK_H
#define CR_TERMINAL_WORK_H

#include "CLinux.h"
#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <stdlib.h>
#include <time.h>

enum { WAIT_MILLISECONDS = 5000 };

static inline long control(int fd, unsigned long request, long argument)
{
	return cr_syscall(SYS_ioctl, fd, (long)request, argument, 0, 0, 0);
}

static inline int has(int fd, short event, int milliseconds)
{
	struct pollfd one = { .fd = fd, .events = event };

	return poll(&one, 1, milliseconds) > 0 && one.revents & event;
}

static inline void rest(void)
{
	struct timespec time = { .tv_nsec = 200 * 1000 };

	nanosleep(&time, NULL);
}

/* A master in packet mode is told something. Not by waiting in poll(2): the kernel wakes only those
 * who wait for POLLIN, which there may be anyway. */
static inline int await_status(int master)
{
	for (int waited = 0; waited < WAIT_MILLISECONDS * 5; waited++) {
		if (has(master, POLLPRI, 0))
			return 1;
		rest();
	}
	return 0;
}

static inline void set_packets(int master, int on)
{
	control(master, TIOCPKT, (long)&on);
}

/* ---- settings for our own work; the number of the line discipline and the speeds stay ---- */

static inline struct cr_terminal_settings plain(const struct cr_terminal_settings *own)
{
	struct cr_terminal_settings settings = *own;

	settings.input = settings.output = settings.local = 0;
	memset(settings.characters, 0, sizeof settings.characters);
	settings.characters[VMIN] = 1;
	return settings;
}

static inline int has_lines(const struct cr_terminal_settings *settings)
{
	return (settings->local & ICANON) && !(settings->local & EXTPROC);
}

static inline int ends_line(const struct cr_terminal_settings *settings, uint8_t byte)
{
	return byte == '\n'
		|| (byte && (byte == settings->characters[VEOL] || byte == settings->characters[VEOL2]));
}

#endif

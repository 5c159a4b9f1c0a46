/* SPDX-License-Identifier: Apache-2.0 */
#include "CLinux.h"
#include <asm/ioctls.h>
#include <asm/termbits.h>

#ifndef TCGETS2 /* PowerPC: the one structure has the speeds already */
#define TCGETS2 TCGETS
#define TCSETS2 TCSETS
#define termios2 termios
#endif

static long control(int fd, unsigned long request, void *argument)
{
	return cr_syscall(SYS_ioctl, fd, (long)request, (long)argument, 0, 0, 0);
}

long cr_terminal_settings(int fd, struct cr_terminal_settings *settings)
{
	struct termios2 now;
	long result = control(fd, TCGETS2, &now);

	if (result < 0)
		return result;
	memset(settings, 0, sizeof *settings);
	settings->input = now.c_iflag;
	settings->output = now.c_oflag;
	settings->control = now.c_cflag;
	settings->local = now.c_lflag;
	settings->input_speed = now.c_ispeed;
	settings->output_speed = now.c_ospeed;
	settings->discipline = now.c_line;
	settings->character_count = NCCS;
	memcpy(settings->characters, now.c_cc, NCCS);
	return 0;
}

long cr_terminal_set_settings(int fd, const struct cr_terminal_settings *settings)
{
	struct termios2 wanted;

	memset(&wanted, 0, sizeof wanted);
	wanted.c_iflag = settings->input;
	wanted.c_oflag = settings->output;
	wanted.c_cflag = settings->control;
	wanted.c_lflag = settings->local;
	wanted.c_ispeed = settings->input_speed;
	wanted.c_ospeed = settings->output_speed;
	wanted.c_line = settings->discipline;
	memcpy(wanted.c_cc, settings->characters, NCCS);
	return control(fd, TCSETS2, &wanted);
}

long cr_terminal_window(int fd, struct cr_window_size *size)
{
	struct winsize now;
	long result = control(fd, TIOCGWINSZ, &now);

	if (result == 0)
		*size = (struct cr_window_size) { now.ws_row, now.ws_col, now.ws_xpixel, now.ws_ypixel };
	return result;
}

long cr_terminal_set_window(int fd, const struct cr_window_size *size)
{
	struct winsize wanted = {
		.ws_row = size->rows, .ws_col = size->columns, .ws_xpixel = size->width, .ws_ypixel = size->height,
	};

	return control(fd, TIOCSWINSZ, &wanted);
}

long cr_terminal_device(int fd, uint64_t *device)
{
	unsigned int number;
	long result = control(fd, TIOCGDEV, &number);

	/* The kernel's new_encode_dev is what user space has in st_rdev as well. */
	if (result == 0)
		*device = number;
	return result;
}

static long flag(int fd, unsigned long request)
{
	int value = 0;
	long result = control(fd, request, &value);

	return result < 0 ? result : value;
}

long cr_terminal_exclusive(int fd)
{
	return flag(fd, TIOCGEXCL);
}

long cr_terminal_set_exclusive(int fd)
{
	return control(fd, TIOCEXCL, NULL);
}

long cr_pty_number(int master)
{
	return flag(master, TIOCGPTN);
}

long cr_pty_locked(int master)
{
	return flag(master, TIOCGPTLCK);
}

long cr_pty_set_locked(int master, int locked)
{
	return control(master, TIOCSPTLCK, &locked);
}

long cr_pty_packets(int master)
{
	return flag(master, TIOCGPKT);
}

long cr_pty_open_slave(int master, int flags)
{
	return cr_syscall(SYS_ioctl, master, TIOCGPTPEER, flags | O_CLOEXEC, 0, 0, 0);
}

long cr_pty_session(int master)
{
	long session = flag(master, TIOCGSID);

	return session < 0 ? 0 : session;
}

/* SPDX-License-Identifier: Apache-2.0
 * Terminals, and what waits in both directions between the two sides of a pseudo-terminal.
 * Everything returns -errno, never sets errno.
 */
#ifndef CR_TERMINALS_H
#define CR_TERMINALS_H

#include <stddef.h>
#include <stdint.h>

/* struct termios2 of the kernel, in its own numbers. */
struct cr_terminal_settings {
	uint32_t input, output, control, local;
	uint32_t input_speed, output_speed;
	uint8_t discipline;
	uint8_t character_count;
	uint8_t characters[32];
};

struct cr_window_size {
	uint16_t rows, columns, width, height;
};

/* Either side: both tell of the slave. -EIO for one that was hung up. */
long cr_terminal_settings(int fd, struct cr_terminal_settings *settings);
long cr_terminal_set_settings(int fd, const struct cr_terminal_settings *settings);
long cr_terminal_window(int fd, struct cr_window_size *size);
long cr_terminal_set_window(int fd, const struct cr_window_size *size);
/* TIOCGDEV: the device number of the terminal (of the slave), also where it was opened as /dev/tty. */
long cr_terminal_device(int fd, uint64_t *device);
/* TIOCGEXCL, TIOCEXCL. */
long cr_terminal_exclusive(int fd);
long cr_terminal_set_exclusive(int fd);

/* Of a master: TIOCGPTN, TIOCGPTLCK and TIOCSPTLCK, TIOCGPKT. */
long cr_pty_number(int master);
long cr_pty_locked(int master);
long cr_pty_set_locked(int master, int locked);
long cr_pty_packets(int master);
/* TIOCGPTPEER: another descriptor of the slave, whoever its file belongs to. */
long cr_pty_open_slave(int master, int flags);
/* The session whose controlling terminal the slave is, or 0. */
long cr_pty_session(int master);

enum { CR_PTY_INPUT = 4096, CR_PTY_BULK = 65536 };

/* A line of input ended by the end-of-file character, which is not among its bytes. */
#define CR_PTY_LINE_END 0x8000

/* What was written to one side and not read at the other. */
struct cr_pty_queues {
	/* What the slave can read: whole lines, whose lengths are in `lines`, and the unfinished one;
	 * without lines where there are none (not ICANON). */
	uint32_t input_count, line_count;
	/* Behind that, not looked at by the terminal yet for want of room. */
	uint32_t typed_count;
	/* What the master can read. */
	uint32_t output_count;
	/* Of these, bytes that could not be put back. */
	uint32_t lost;
	/* Output is held: 0 not, 1 by a typed character (^S), 2 by tcflow(3). */
	uint8_t flow;
	/* TIOCPKT, and the TIOCPKT_* that the master was not told yet. */
	uint8_t has_packets, packet_status;
	uint16_t *lines; /* CR_PTY_INPUT of them */
	uint8_t *input;  /* room for CR_PTY_INPUT bytes */
	uint8_t *typed, *output; /* and CR_PTY_BULK */
};

/* Empty ones, or NULL; free(3) frees all of it. */
struct cr_pty_queues *cr_pty_queues_new(void);

/* Looks at what waits: takes it, and puts it back at once. A process of its own does that, which
 * outlives ours. `slave` is a descriptor of the slave for when no other can be opened, or -1. */
long cr_pty_peek(int master, int slave, struct cr_pty_queues *queues);
/* Fills the empty queues of a new pair, and gives its slave these settings. Neither side waits. */
void cr_pty_fill(int master, int slave, const struct cr_terminal_settings *settings,
	struct cr_pty_queues *queues);

#endif

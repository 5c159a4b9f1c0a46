/* SPDX-License-Identifier: Apache-2.0
 * Filling the queues of a pseudo-terminal, with the terminal set so that it changes nothing on the way.
 */
#include "terminal_work.h"

/* In small pieces, of which the kernel's buffers take twice as many as of large ones: so what was there
 * has room again. */
static uint32_t put(int fd, const uint8_t *bytes, uint32_t count)
{
	uint32_t done = 0;

	for (int waited = 0; done < count && waited < WAIT_MILLISECONDS; ) {
		uint32_t piece = count - done < 256 ? count - done : 256;
		ssize_t put = write(fd, bytes + done, piece);

		if (put > 0)
			done += put;
		else if (put < 0 && errno != EAGAIN && errno != EINTR)
			break;
		else
			waited += !has(fd, POLLOUT, 10) * 10;
	}
	return count - done;
}

/* The kernel's own worker takes bytes from the master to the terminal: settings must not change before
 * it has. Two characters that stop and start output tell, since a master in packet mode hears of that. */
static void await_worker(int master, uint8_t stop, uint8_t start)
{
	uint8_t status;

	set_packets(master, 1);
	if (put(master, &stop, 1) == 0 && await_status(master))
		(void)!read(master, &status, 1);
	if (put(master, &start, 1) == 0 && await_status(master))
		(void)!read(master, &status, 1);
	set_packets(master, 0);
}

static void await_count(int slave, int wanted)
{
	int count = 0;

	for (int waited = 0; waited < WAIT_MILLISECONDS * 5; waited++) {
		if (control(slave, FIONREAD, (long)&count) < 0 || count >= wanted)
			break;
		rest();
	}
}

/* No further byte would be looked at, not even one that stops output. */
static int is_full(const struct cr_pty_queues *q)
{
	uint32_t places = q->input_count;

	for (uint32_t line = 0; line < q->line_count; line++)
		places += (q->lines[line] & CR_PTY_LINE_END) != 0;
	return q->line_count > 0 && places >= CR_PTY_INPUT - 1;
}

/* Whole lines can be counted from outside; what is behind the last one cannot, and gets a moment. */
static void await_readable(int slave, const struct cr_pty_queues *q)
{
	int count = 0;

	for (uint32_t line = 0; line < q->line_count; line++)
		count += q->lines[line] & ~CR_PTY_LINE_END;
	await_count(slave, count);
	for (int i = 0; i < 25; i++)
		rest();
}

struct keys {
	uint8_t end, literal, stop, start;
};

/* Characters that end no line of this terminal. */
static struct keys free_keys(const struct cr_terminal_settings *settings)
{
	uint8_t found[4];
	int count = 0;

	for (uint8_t byte = 1; count < 4; byte++)
		if (!ends_line(settings, byte))
			found[count++] = byte;
	return (struct keys) { found[0], found[1], found[2], found[3] };
}

static void put_lines(int master, int slave, const struct cr_terminal_settings *own, struct cr_pty_queues *q)
{
	struct cr_terminal_settings settings = plain(own);
	struct keys keys = free_keys(own);
	uint8_t *text = malloc(3 * CR_PTY_INPUT);
	uint32_t line = 0, left = q->line_count ? q->lines[0] & ~CR_PTY_LINE_END : UINT32_MAX, count = 0;

	settings.input = IXON;
	settings.local = ICANON | IEXTEN;
	settings.characters[VEOF] = keys.end;
	settings.characters[VLNEXT] = keys.literal;
	settings.characters[VSTOP] = keys.stop;
	settings.characters[VSTART] = keys.start;
	settings.characters[VEOL] = own->characters[VEOL];
	settings.characters[VEOL2] = own->characters[VEOL2];
	cr_terminal_set_settings(slave, &settings);
	for (uint32_t i = 0; text && (i < q->input_count || line < q->line_count); ) {
		/* Bytes of a line; the last one ends it, unless that was an end of file. */
		int is_marked = line < q->line_count && q->lines[line] & CR_PTY_LINE_END;

		if (left > 0) {
			uint8_t byte = q->input[i++];
			int is_last = --left == 0 && !is_marked && line < q->line_count;

			if (!is_last && (ends_line(own, byte) || byte == keys.end || byte == keys.literal
					|| byte == keys.stop || byte == keys.start))
				text[count++] = keys.literal;
			text[count++] = byte;
		}
		if (left == 0) {
			if (is_marked)
				text[count++] = keys.end;
			line++;
			left = line < q->line_count ? q->lines[line] & ~CR_PTY_LINE_END : UINT32_MAX;
		}
	}
	if (text)
		q->lost += put(master, text, count);
	free(text);
	if (is_full(q))
		await_readable(slave, q);
	else
		await_worker(master, keys.stop, keys.start);
}

static void put_bytes(int master, int slave, const struct cr_terminal_settings *own, struct cr_pty_queues *q)
{
	struct cr_terminal_settings settings = plain(own);

	cr_terminal_set_settings(slave, &settings);
	q->lost += put(master, q->input, q->input_count);
	await_count(slave, (int)q->input_count);
}

static void put_output(int slave, const struct cr_terminal_settings *own, struct cr_pty_queues *q)
{
	struct cr_terminal_settings settings = *own;

	settings.output = 0;
	settings.input &= ~(uint32_t)IXON;
	cr_terminal_set_settings(slave, &settings);
	q->lost += put(slave, q->output, q->output_count);
}

/* Makes the terminal do again what a master in packet mode was not told yet. */
static void repeat_status(int slave, const struct cr_terminal_settings *own, struct cr_pty_queues *q)
{
	uint8_t status = q->packet_status;

	if (status & (TIOCPKT_NOSTOP | TIOCPKT_DOSTOP)) {
		struct cr_terminal_settings other = *own;

		other.input ^= IXON;
		if (other.input & IXON) {
			other.characters[VSTOP] = 023;
			other.characters[VSTART] = 021;
		}
		cr_terminal_set_settings(slave, &other);
		cr_terminal_set_settings(slave, own);
	} else if (status & TIOCPKT_IOCTL) {
		cr_terminal_set_settings(slave, own);
	}
	/* Both would throw away what is in the queues. */
	if (status & TIOCPKT_FLUSHREAD && q->input_count + q->typed_count == 0)
		control(slave, TCFLSH, TCIFLUSH);
	if (status & TIOCPKT_FLUSHWRITE && q->output_count < CR_PTY_INPUT)
		control(slave, TCFLSH, TCOFLUSH);
	if (status & TIOCPKT_START) {
		control(slave, TCXONC, TCOOFF);
		control(slave, TCXONC, TCOON);
	}
}

/* As the key does it: a program cannot undo that by tcflow(3). */
static void hold_by_key(int master, int slave, const struct cr_terminal_settings *own, int tells)
{
	struct cr_terminal_settings settings = *own;
	uint8_t stop, status;

	if (!(own->input & IXON))
		return;
	if (!settings.characters[VSTOP])
		settings.characters[VSTOP] = 023;
	stop = settings.characters[VSTOP];
	if (stop != own->characters[VSTOP])
		cr_terminal_set_settings(slave, &settings);
	if (!tells)
		set_packets(master, 1);
	put(master, &stop, 1);
	await_status(master);
	if (!tells) {
		(void)!read(master, &status, 1);
		set_packets(master, 0);
	}
	if (stop != own->characters[VSTOP])
		cr_terminal_set_settings(slave, own);
}

void cr_pty_fill(int master, int slave, const struct cr_terminal_settings *settings,
	struct cr_pty_queues *q)
{
	int tells = q->has_packets && q->packet_status & TIOCPKT_STOP;

	q->lost = 0;
	if (q->input_count + q->line_count > 0) {
		if (has_lines(settings))
			put_lines(master, slave, settings, q);
		else
			put_bytes(master, slave, settings, q);
	}
	if (q->output_count > 0)
		put_output(slave, settings, q);
	cr_terminal_set_settings(slave, settings);
	if (q->typed_count > 0)
		q->lost += put(master, q->typed, q->typed_count);
	if (q->flow != 0 && !tells) {
		if (q->flow == 1)
			hold_by_key(master, slave, settings, 0);
		else
			control(slave, TCXONC, TCOOFF);
	}
	if (!q->has_packets)
		return;
	set_packets(master, 1);
	repeat_status(slave, settings, q);
	if (q->flow == 1 && tells)
		hold_by_key(master, slave, settings, 1);
	else if (q->flow == 2 && tells)
		control(slave, TCXONC, TCOOFF);
}

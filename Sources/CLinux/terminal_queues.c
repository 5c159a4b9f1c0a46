/* SPDX-License-Identifier: Apache-2.0
 * What waits in the queues of a pseudo-terminal. The kernel lets nobody look into them, so they are read
 * and then filled again.
 */
#include "terminal_work.h"
#include <sched.h>
#include <sys/wait.h>

struct cr_pty_queues *cr_pty_queues_new(void)
{
	struct cr_pty_queues *q = calloc(1, sizeof *q + 3 * CR_PTY_INPUT + 2 * CR_PTY_BULK);

	if (q) {
		q->lines = (uint16_t *)(q + 1);
		q->input = (uint8_t *)(q->lines + CR_PTY_INPUT);
		q->typed = q->input + CR_PTY_INPUT;
		q->output = q->typed + CR_PTY_BULK;
	}
	return q;
}

/* ---- taking ---- */

static uint32_t take(int fd, uint8_t *bytes, uint32_t count, uint32_t room)
{
	while (count < room) {
		ssize_t got = read(fd, bytes + count, room - count);

		if (got <= 0 && !(got < 0 && errno == EINTR))
			break;
		count += got > 0 ? got : 0;
	}
	return count;
}

/* Tells lines by their ends. In a terminal that keeps none, an end-of-file character is a zero. */
static void find_lines(struct cr_pty_queues *q, const struct cr_terminal_settings *settings, uint32_t whole)
{
	uint32_t kept = 0, start = 0;

	for (uint32_t i = 0; i < q->input_count; i++) {
		uint8_t byte = q->input[i];
		int is_end = i < whole && byte == 0;

		if (!is_end)
			q->input[kept++] = byte;
		if (i < whole && (is_end || ends_line(settings, byte) || i + 1 == whole)) {
			int is_marked = is_end || !ends_line(settings, byte);

			q->lines[q->line_count++] = (kept - start) | (is_marked ? CR_PTY_LINE_END : 0);
			start = kept;
		}
	}
	q->input_count = kept;
}

/* Line by line, which shows exactly where each one ends. */
static void take_lines(int slave, const struct cr_terminal_settings *own, struct cr_pty_queues *q)
{
	struct cr_terminal_settings settings = *own;

	/* Should there be more behind that was not looked at yet, it is no news for anybody now. */
	settings.local &= ~(uint32_t)(ECHO | ECHONL | ISIG);
	settings.input &= ~(uint32_t)IXON;
	cr_terminal_set_settings(slave, &settings);
	while (q->input_count < CR_PTY_INPUT && q->line_count < CR_PTY_INPUT && has(slave, POLLIN, 0)) {
		uint8_t *line = q->input + q->input_count;
		ssize_t count = read(slave, line, CR_PTY_INPUT - q->input_count);
		int is_marked;

		if (count < 0)
			break;
		is_marked = count == 0 || !ends_line(own, line[count - 1]);
		q->lines[q->line_count++] = count | (is_marked ? CR_PTY_LINE_END : 0);
		q->input_count += count;
	}
}

static void take_input(int slave, const struct cr_terminal_settings *settings, struct cr_pty_queues *q)
{
	struct cr_terminal_settings raw = plain(settings);
	int count = 0, readable = 0;
	uint32_t whole = 0, ready = has(slave, POLLIN, 0);

	control(slave, FIONREAD, (long)&readable);
	if (!has_lines(settings) && readable == 0)
		return;
	/* Far from full: then everything that was typed is in it. */
	if (has_lines(settings) && ready && readable < CR_PTY_INPUT / 2) {
		take_lines(slave, settings, q);
		ready = 0;
	}
	/* Lines end here, and what is no whole line can be read. */
	cr_terminal_set_settings(slave, &raw);
	control(slave, FIONREAD, (long)&count);
	if (count > (int)(CR_PTY_INPUT - q->input_count))
		count = CR_PTY_INPUT - q->input_count;
	if (count > 0)
		q->input_count = take(slave, q->input, q->input_count, q->input_count + count);
	q->typed_count = take(slave, q->typed, 0, CR_PTY_BULK);
	if (!ready || !has_lines(settings))
		return;
	/* The kernel told how many bytes of whole lines there are, end-of-file characters not counted. */
	for (int seen = 0; whole < q->input_count && seen < readable; whole++)
		seen += q->input[whole] != 0;
	while (whole < q->input_count && q->input[whole] == 0)
		whole++;
	find_lines(q, settings, whole);
}

/* Finds out whether output is held, and lets it go. */
static void find_flow(int slave, const struct cr_terminal_settings *own, struct cr_pty_queues *q)
{
	struct cr_terminal_settings settings = *own;

	/* There is room, since the queue is empty. */
	if (has(slave, POLLOUT, 0))
		return;
	control(slave, TCXONC, TCOON);
	if (has(slave, POLLOUT, 0)) {
		q->flow = 2;
		return;
	}
	q->flow = 1;
	settings.input &= ~(uint32_t)IXON;
	cr_terminal_set_settings(slave, &settings);
}

/* ---- looking ---- */

struct look {
	int master, slave;
	struct cr_pty_queues *queues;
	long result;
};

/* A descriptor of our own, which does not wait. */
static int own_slave(const struct look *look)
{
	long locked = cr_pty_locked(look->master);
	long slave;

	if (locked > 0)
		cr_pty_set_locked(look->master, 0);
	slave = cr_pty_open_slave(look->master, O_RDWR | O_NOCTTY | O_NONBLOCK);
	if (locked > 0)
		cr_pty_set_locked(look->master, 1);
	return (int)slave;
}

static void look_at_queues(struct look *look, int slave)
{
	struct cr_pty_queues *q = look->queues;
	struct cr_terminal_settings settings;
	int before;

	look->result = cr_terminal_settings(slave, &settings);
	if (look->result < 0)
		return;
	q->has_packets = cr_pty_packets(look->master) > 0;
	/* Told before anything else that can be read. */
	if (q->has_packets && has(look->master, POLLPRI, 0))
		(void)!read(look->master, &q->packet_status, 1);
	set_packets(look->master, 0);
	before = fcntl(look->master, F_GETFL);
	fcntl(look->master, F_SETFL, before | O_NONBLOCK);
	q->output_count = take(look->master, q->output, 0, CR_PTY_BULK);
	find_flow(slave, &settings, q);
	take_input(slave, &settings, q);
	/* Echoes that were held. */
	if (q->flow)
		q->output_count = take(look->master, q->output, q->output_count, CR_PTY_BULK);
	cr_pty_fill(look->master, slave, &settings, q);
	fcntl(look->master, F_SETFL, before);
}

/* Whoever was killed may have left one of ours at work. The lock ends with the descriptor. */
static void await_others(int slave)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0x6372, .l_len = 1 };

	for (int waited = 0; waited < WAIT_MILLISECONDS * 5; waited++) {
		if (fcntl(slave, F_OFD_SETLK, &lock) == 0 || (errno != EAGAIN && errno != EACCES))
			break;
		rest();
	}
}

static int look_apart(void *argument)
{
	struct look *look = argument;
	int slave, before = 0;

	/* Not of a session whose terminal it may be, and not in reach of what is typed there. */
	setsid();
	slave = own_slave(look);
	if (slave >= 0) {
		await_others(slave);
		look_at_queues(look, slave);
		close(slave);
	} else if (look->slave >= 0) {
		before = fcntl(look->slave, F_GETFL);
		fcntl(look->slave, F_SETFL, before | O_NONBLOCK);
		look_at_queues(look, look->slave);
		fcntl(look->slave, F_SETFL, before);
	} else {
		look->result = slave;
	}
	_exit(0);
}

long cr_pty_peek(int master, int slave, struct cr_pty_queues *queues)
{
	enum { STACK = 128 * 1024 };
	struct look look = { .master = master, .slave = slave, .queues = queues };
	char *stack = malloc(STACK);
	sigset_t all, old;
	int child, error;

	if (!stack)
		return -ENOMEM;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	/* Ours waits until it has ended, unless it is killed. */
	child = clone(look_apart, (void *)((uintptr_t)(stack + STACK) & ~(uintptr_t)63),
		CLONE_VM | CLONE_VFORK, &look);
	error = child < 0 ? errno : 0;
	if (child > 0)
		waitpid(child, NULL, __WALL);
	sigprocmask(SIG_SETMASK, &old, NULL);
	free(stack);
	return error ? -error : look.result;
}

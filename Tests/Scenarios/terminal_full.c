/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/terminal_full.c
 * More was typed than a terminal takes: lines fill it, and the rest waits where it has not been looked
 * at, so it has not been echoed either. In the other direction nothing more goes in.
 */
#include "terminal.h"

static size_t stuff(int fd, const char *bytes, size_t count)
{
	size_t done = 0;

	/* The kernel makes room on its own time; ten refusals in a row are its last word. */
	for (int refusals = 0; refusals < 10;) {
		ssize_t result = write(fd, bytes + done, count - done);

		if (result > 0) {
			done += result;
			refusals = 0;
		} else {
			refusals++;
			pause_briefly();
		}
	}
	return done;
}

int main(void)
{
	enum { LINE = 50 };
	static char text[1 << 16];
	char echo[4096], last[LINE];
	int slave, master = new_terminal(&slave);
	int far, near = new_terminal(&far);
	size_t typed, written;

	for (size_t i = 0; i < sizeof text; i++)
		text[i] = i % LINE == LINE - 1 ? '\n' : 'a' + i % 23;
	check(fcntl(master, F_SETFL, O_NONBLOCK) == 0 && fcntl(near, F_SETFL, O_NONBLOCK) == 0);
	typed = stuff(master, text, sizeof text);
	check(typed > 4096 && typed < sizeof text);
	set_flags(far, 0, 0, 0);
	written = stuff(far, text, sizeof text);
	check(written > 4096 && written < sizeof text);
	/* The echo of what was looked at. */
	while (read(master, echo, sizeof echo) > 0)
		;
	checkpoint_here();
	check_empty(master);
	for (size_t done = 0; done + LINE <= typed; done += LINE)
		check_reads(slave, text + done, LINE);
	check_empty(slave);
	type(master, "\n", 1);
	memcpy(last, text + typed - typed % LINE, typed % LINE);
	last[typed % LINE] = '\n';
	check_reads(slave, last, typed % LINE + 1);
	check_reads_all(near, text, written);
	return passed();
}

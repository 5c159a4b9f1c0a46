/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/terminal_output_held.c
 * Output that is held, by ^S at one terminal and by tcflow(3) at another: it stays held, and only what
 * holds it lets it go.
 */
#include "terminal.h"

static bool is_held(int slave)
{
	struct pollfd one = { .fd = slave, .events = POLLOUT };

	return poll(&one, 1, 0) == 0;
}

int main(void)
{
	int by_key, key = new_terminal(&by_key), by_call, call = new_terminal(&by_call);

	check(write(by_key, "shown", 5) == 5);
	type(key, "\023", 1);
	while (!is_held(by_key))
		pause_briefly();
	check(tcflow(by_call, TCOOFF) == 0);
	checkpoint_here();
	check(is_held(by_key) && is_held(by_call));
	check(write(by_key, "x", 1) == -1 && errno == EAGAIN);
	check(tcflow(by_key, TCOON) == 0);
	check(is_held(by_key));
	type(key, "\021", 1);
	while (is_held(by_key))
		pause_briefly();
	check(write(by_key, "!", 1) == 1);
	check_reads_all(key, "shown!", 6);
	type(call, "\021\n", 2);
	check_reads(by_call, "\n", 1);
	check(is_held(by_call));
	check(tcflow(by_call, TCOON) == 0);
	check(!is_held(by_call));
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/terminal_lines_typed.c
 * Lines that were typed and nobody has read: each is one read(2), an end-of-file character ends one
 * without being in it, and the last one is still being typed: it can be erased from and gone on with.
 */
#include "terminal.h"

#define KEYS "one\rtwo\n\004half\004with;\026\nliteral\n\026\003\0016\026#un"
#define ECHO_OF_ALL "one\r\ntwo\r\nhalfwith;^\b^Jliteral\r\n^\b^C^A6^\b#un\b \bt\r\n"

int main(void)
{
	struct termios settings;
	int slave, master = new_terminal(&slave), name, number;

	check(tcgetattr(slave, &settings) == 0);
	settings.c_cc[VEOL] = ';';
	settings.c_cc[VERASE] = '#';
	check(tcsetattr(slave, TCSANOW, &settings) == 0);
	check(ioctl(master, TIOCGPTN, &name) == 0);
	type(master, KEYS, sizeof KEYS - 1);
	await_readable(slave, 4 + 4 + 4 + 5 + 9);
	checkpoint_here();
	check(ioctl(master, TIOCGPTN, &number) == 0);
	check(number == name);
	check_reads(slave, "one\n", 4);
	check_reads(slave, "two\n", 4);
	check_reads(slave, "", 0);
	check_reads(slave, "half", 4);
	check_reads(slave, "with;", 5);
	check_reads(slave, "\nliteral\n", 9);
	check_empty(slave);
	checkpoint_here();
	type(master, "#t\n", 3);
	check_reads(slave, "\003\0016#ut\n", 7);
	check_empty(slave);
	/* What was echoed waits, and is not echoed once more. */
	check_reads_all(master, ECHO_OF_ALL, sizeof ECHO_OF_ALL - 1);
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/terminal_raw_bytes.c
 * A terminal as an editor sets it: keys that nobody has read yet, control characters among them, and a
 * screen's worth of output at which the master has not looked. Nothing may be changed on the way.
 */
#include "terminal.h"

int main(void)
{
	static char keys[600], screen[6000];
	int slave, master = new_terminal(&slave);
	struct termios settings, now;

	check(tcgetattr(slave, &settings) == 0);
	cfmakeraw(&settings);
	settings.c_cc[VMIN] = 200;
	settings.c_cc[VTIME] = 3;
	cfsetspeed(&settings, B115200);
	check(tcsetattr(slave, TCSANOW, &settings) == 0);
	for (size_t i = 0; i < sizeof keys; i++)
		keys[i] = (char)i;
	fill(screen, sizeof screen, 5);
	type(master, keys, sizeof keys);
	await_readable(slave, sizeof keys);
	check(write(slave, screen, sizeof screen) == sizeof screen);
	checkpoint_here();
	check(tcgetattr(slave, &now) == 0);
	check(now.c_iflag == settings.c_iflag && now.c_oflag == settings.c_oflag);
	check(now.c_lflag == settings.c_lflag && now.c_cflag == settings.c_cflag);
	check(memcmp(now.c_cc, settings.c_cc, sizeof now.c_cc) == 0);
	check(cfgetospeed(&now) == B115200 && cfgetispeed(&now) == B115200);
	check_reads_all(slave, keys, sizeof keys);
	check_reads_all(master, screen, sizeof screen);
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/terminal_size_lock_and_owner.c
 * What else a pair has: the size of its window, the number, a slave that is not unlocked yet or that
 * nobody else may open, packet mode with what the master was not told yet, and the owner of /dev/pts/N.
 */
#include "terminal.h"

int main(void)
{
	struct winsize size = { .ws_row = 31, .ws_col = 117, .ws_xpixel = 640, .ws_ypixel = 480 }, now;
	int slave, master = new_terminal(&slave), on = 1, value, number, locked;
	int copy = dup(slave);
	char name[64], far_name[64], packet[16];
	struct stat before, after;

	check(ioctl(master, TIOCSWINSZ, &size) == 0);
	check(ioctl(slave, TIOCEXCL) == 0);
	check(ioctl(master, TIOCPKT, &on) == 0);
	check(ioctl(slave, TCXONC, TCOOFF) == 0);
	check(ioctl(slave, TCXONC, TCOON) == 0);
	check(write(slave, "hello", 5) == 5);
	check(fchmod(slave, 0640) == 0);
	check(fstat(slave, &before) == 0);
	check(ptsname_r(master, name, sizeof name) == 0);
	locked = open("/dev/ptmx", O_RDWR | O_NOCTTY);
	check(locked >= 0 && ptsname_r(locked, far_name, sizeof far_name) == 0);
	checkpoint_here();
	check(ioctl(slave, TIOCGWINSZ, &now) == 0);
	check(memcmp(&size, &now, sizeof now) == 0);
	check(ioctl(copy, TIOCGEXCL, &value) == 0 && value == 1);
	check(ioctl(master, TIOCGPKT, &value) == 0 && value == 1);
	check_reads(master, "\010", 1); /* TIOCPKT_START */
	check_reads(master, "\0hello", 6);
	check(ptsname_r(master, packet, sizeof packet) == 0 && strcmp(packet, name) == 0);
	check(ttyname_r(slave, packet, sizeof packet) == 0 && strcmp(packet, name) == 0);
	check(fstat(slave, &after) == 0);
	check(after.st_mode == before.st_mode && after.st_uid == before.st_uid);
	check(after.st_gid == before.st_gid && after.st_rdev == before.st_rdev);
	check(ioctl(locked, TIOCGPTLCK, &value) == 0 && value == 1);
	check(ioctl(locked, TIOCGPTN, &number) == 0 && number == atoi(far_name + 9));
	check(open(far_name, O_RDWR | O_NOCTTY) == -1 && errno == EIO);
	return passed();
}

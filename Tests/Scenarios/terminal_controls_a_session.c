/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/terminal_controls_a_session.c
 * A shell below its terminal emulator: a session of its own with the slave as controlling terminal, and
 * a job of another group in the foreground. Keys reach that group, /dev/tty leads to the terminal, the
 * shell in the background may not read, and the end of the master hangs all of them up.
 */
#include "terminal.h"

static volatile sig_atomic_t interrupts, hangups;

static void count_interrupt(int number)
{
	(void)number;
	interrupts++;
}

static void count_hangup(int number)
{
	(void)number;
	hangups++;
}

static _Noreturn void job(void)
{
	char name[64];
	int own;

	check(setpgid(0, 0) == 0);
	signal(SIGINT, count_interrupt);
	tell("job");
	await("restored");
	check(tcgetpgrp(0) == getpgrp());
	own = open("/dev/tty", O_RDWR | O_NONBLOCK);
	check(own >= 0);
	check(ttyname_r(0, name, sizeof name) == 0);
	check_reads(own, "line\n", 5);
	tell("read");
	while (!interrupts)
		pause();
	_exit(7);
}

static _Noreturn void shell(int slave)
{
	pid_t child, session;
	int own, end;
	struct sigaction action = { .sa_handler = count_hangup };

	session = setsid();
	check(session == getpid());
	check(ioctl(slave, TIOCSCTTY, 0) == 0);
	check(dup2(slave, 0) == 0 && dup2(slave, 1) == 1);
	own = open("/dev/tty", O_RDWR | O_CLOEXEC);
	check(own >= 0);
	sigaction(SIGHUP, &action, NULL);
	signal(SIGTTOU, SIG_IGN);
	child = fork();
	check(child >= 0);
	if (child == 0)
		job();
	await("job");
	check(setpgid(child, child) == 0 || errno == EACCES);
	check(tcsetpgrp(0, child) == 0);
	tell("shell");
	await("restored");
	check(getsid(0) == session && getsid(child) == session && tcgetsid(own) == session);
	check(tcgetpgrp(own) == child && getpgid(child) == child && getpgrp() == session);
	check(waitpid(child, &end, 0) == child);
	check(WIFEXITED(end) && WEXITSTATUS(end) == 7);
	check(tcsetpgrp(own, getpgrp()) == 0);
	tell("back");
	while (!hangups)
		pause();
	_exit(9);
}

int main(void)
{
	int slave, master = new_terminal(&slave), end;
	pid_t child, foreground;

	check(fcntl(slave, F_SETFL, 0) == 0);
	child = fork();
	check(child >= 0);
	if (child == 0) {
		close(master);
		shell(slave);
	}
	close(slave);
	await("shell");
	type(master, "line\n", 5);
	foreground = tcgetpgrp(master);
	check(foreground > 0 && foreground != child);
	checkpoint_here();
	check(tcgetsid(master) == child);
	check(tcgetpgrp(master) == foreground);
	check(getsid(0) != child);
	tell("restored");
	await("read");
	type(master, "\003", 1);
	await("back");
	check(tcgetpgrp(master) == child);
	close(master);
	check(waitpid(child, &end, 0) == child);
	check(WIFEXITED(end) && WEXITSTATUS(end) == 9);
	return passed();
}

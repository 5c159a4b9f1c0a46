/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/seccomp_strict.c
 * A process that may read, write and end and nothing else: any other call kills it, ours too. It computes
 * for others, who ask it through a pipe.
 * runner: root
 * runner: unlike-kernel act under seccomp
 */
#include "scenario.h"
#include <linux/seccomp.h>

static void answer(int questions, int answers)
{
	unsigned char number;

	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
		syscall(SYS_exit, 1);
	while (read(questions, &number, 1) == 1) {
		number = number * 3 + 1;
		if (write(answers, &number, 1) != 1)
			syscall(SYS_exit, 2);
		/* Asked for 255 it makes a call that it may not. */
		if (number == (unsigned char)(255 * 3 + 1))
			syscall(SYS_getppid);
	}
	syscall(SYS_exit, 3);
}

static unsigned char ask(int questions, int answers, unsigned char number)
{
	check(write(questions, &number, 1) == 1);
	check(read(answers, &number, 1) == 1);
	return number;
}

int main(void)
{
	int questions[2], answers[2];
	pid_t child;

	check(pipe(questions) == 0 && pipe(answers) == 0);
	child = fork();
	check(child >= 0);
	if (child == 0) {
		close(questions[1]);
		answer(questions[0], answers[1]);
	}
	check(ask(questions[1], answers[0], 4) == 13);
	checkpoint_here();
	check(ask(questions[1], answers[0], 5) == 16);
	checkpoint_here();
	ask(questions[1], answers[0], 255);
	check_dies_of(child, SIGKILL);
	return passed();
}

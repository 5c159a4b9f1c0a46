/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/tree_of_both_word_sizes.c
 * A chain of processes, each the parent of the next, whose programs have 32 and 64 bits in turn, with
 * pipes between them, memory shared by all, and one at the end that has ended.
 * runner: both
 */
#include "scenario.h"

enum { links = 4 };

/* What each does with a number: its own word size becomes the last digit. */
static int passed_on(int number)
{
	return number * 10 + (int)sizeof(void *);
}

static void start_next(const char *program, int left, int input, int output, int memory)
{
	char words[4][16];

	snprintf(words[0], 16, "%d", left);
	snprintf(words[1], 16, "%d", input);
	snprintf(words[2], 16, "%d", output);
	snprintf(words[3], 16, "%d", memory);
	execl(program, program, words[0], words[1], words[2], words[3], (char *)NULL);
	check(!"execl");
}

/* argv[1]: how many follow; where the number comes from and goes to; a file in memory. */
static int be_link(char **arguments, const char *own)
{
	int left = atoi(arguments[1]), input = atoi(arguments[2]), output = atoi(arguments[3]);
	int memory = atoi(arguments[4]), ends[2], number, status;
	int *shared = mmap(NULL, page_size, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	pid_t next;

	check(shared != MAP_FAILED);
	check(pipe(ends) == 0);
	next = fork();
	check(next >= 0);
	if (next == 0 && left > 0) {
		const char *other = getenv("SCENARIO_OTHER");

		check(close(ends[1]) == 0);
		check(setenv("SCENARIO_OTHER", own, 1) == 0);
		start_next(other, left - 1, ends[0], output, memory);
	}
	if (next == 0)
		_exit(33);
	if (left > 0)
		check(close(output) == 0);
	close(ends[0]);
	__atomic_fetch_add(shared, 1, __ATOMIC_SEQ_CST);
	while (read(input, &number, sizeof number) == sizeof number) {
		number = passed_on(number);
		check(write(left > 0 ? ends[1] : output, &number, sizeof number) ==
		      sizeof number);
	}
	close(ends[1]);
	check(waitpid(next, &status, 0) == next);
	check(WIFEXITED(status) && WEXITSTATUS(status) == (left > 0 ? left - 1 + 50 : 33));
	return left + 50;
}

int main(int count, char **arguments)
{
	const char *other = getenv("SCENARIO_OTHER");
	int memory, there[2], back[2], number = 0, expected = 0, status;
	char own[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);
	int *shared;
	pid_t child;

	check(length > 0 && other);
	own[length] = 0;
	if (count > 1)
		return be_link(arguments, own);
	memory = memfd_create("shared", 0);
	check(memory >= 0 && ftruncate(memory, page_size) == 0);
	shared = mmap(NULL, page_size, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	check(shared != MAP_FAILED);
	check(pipe(there) == 0 && pipe(back) == 0);
	child = fork();
	if (child == 0) {
		check(close(there[1]) == 0);
		check(setenv("SCENARIO_OTHER", own, 1) == 0);
		start_next(other, links - 1, there[0], back[1], memory);
	}
	check(close(back[1]) == 0 && close(there[0]) == 0);
	while (__atomic_load_n(shared, __ATOMIC_SEQ_CST) != links)
		pause_briefly();
	checkpoint_here();
	for (int i = 0; i < links; i++)
		expected = expected * 10 + (int)sizeof(void *) * (i % 2) +
			   (12 - (int)sizeof(void *)) * (1 - i % 2);
	check(write(there[1], &number, sizeof number) == sizeof number);
	check(read(back[0], &number, sizeof number) == sizeof number);
	check(number == expected);
	checkpoint_here();
	check(close(there[1]) == 0);
	check(waitpid(child, &status, 0) == child);
	check(WIFEXITED(status) && WEXITSTATUS(status) == links - 1 + 50);
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/pipe_between_processes.c
 * A pipeline of three: bytes in flight arrive, ends close as their processes end.
 */
#include "scenario.h"

enum { count = 200000 };

static void produce(int output)
{
	for (int i = 0; i < count; i++)
		check(write(output, &i, sizeof i) == sizeof i);
}

static void square(int input, int output)
{
	FILE *in = fdopen(input, "r"), *out = fdopen(output, "w");
	int number;

	while (fread(&number, sizeof number, 1, in) == 1) {
		long result = (long)number * number;

		check(fwrite(&result, sizeof result, 1, out) == 1);
	}
	check(fclose(out) == 0);
}

int main(void)
{
	int numbers[2], squares[2];
	pid_t producer, squarer;
	long result, expected = 0;
	FILE *in;

	check(pipe(numbers) == 0 && pipe(squares) == 0);
	producer = fork();
	if (producer == 0) {
		close(numbers[0]), close(squares[0]), close(squares[1]);
		produce(numbers[1]);
		_exit(1);
	}
	squarer = fork();
	if (squarer == 0) {
		close(numbers[1]), close(squares[0]);
		square(numbers[0], squares[1]);
		_exit(2);
	}
	close(numbers[0]), close(numbers[1]), close(squares[1]);
	in = fdopen(squares[0], "r");
	while (fread(&result, sizeof result, 1, in) == 1) {
		check(result == expected * expected);
		expected++;
		if (expected == count / 4 || expected == count / 2)
			checkpoint_here();
	}
	check(expected == count);
	check_exits_with(producer, 1);
	check_exits_with(squarer, 2);
	return passed();
}

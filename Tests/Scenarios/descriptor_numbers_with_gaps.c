/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/descriptor_numbers_with_gaps.c
 * Each descriptor has its old number, and the lowest free number is the same as before.
 */
#include "scenario.h"

int main(void)
{
	static const int numbers[] = { 5, 17, 63, 64, 65, 255, 256, 900 };
	int file = file_with("data", 10, 52);

	for (int i = 0; i < 8; i++)
		check(dup2(file, numbers[i]) == numbers[i]);
	check(fcntl(900, F_SETFD, FD_CLOEXEC) == 0);
	if (file != 5)
		check(close(file) == 0);
	checkpoint_here();
	for (int number = 3, i = 0; number < 1024; number++) {
		bool expected = i < 8 && numbers[i] == number;

		check((fcntl(number, F_GETFD) >= 0) == expected);
		i += expected;
	}
	check(fcntl(900, F_GETFD) == FD_CLOEXEC && fcntl(256, F_GETFD) == 0);
	check(dup(5) == 3 && dup(5) == 4 && dup(5) == 6);
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/buffered_streams.c
 * What the C library has buffered and not yet written, or read and not yet handed out.
 */
#include "scenario.h"

int main(void)
{
	char path[PATH_MAX], line[64];
	int number;
	FILE *file;

	path_in_scenario(path, "stream");
	file = fopen(path, "w+");
	check(file);
	for (int i = 0; i < 1000; i++)
		fprintf(file, "line %d\n", i);
	checkpoint_here();
	for (int i = 1000; i < 2000; i++)
		fprintf(file, "line %d\n", i);
	rewind(file);
	for (int i = 0; i < 2000; i++) {
		if (i == 700)
			checkpoint_here();
		check(fgets(line, sizeof line, file));
		check(sscanf(line, "line %d", &number) == 1 && number == i);
	}
	check(!fgets(line, sizeof line, file) && fclose(file) == 0);
	return passed();
}

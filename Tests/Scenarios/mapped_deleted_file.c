/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/mapped_deleted_file.c
 * The file behind a mapping was deleted, as happens to libraries upgraded under a running program.
 */
#include "scenario.h"

int main(void)
{
	enum { size = 16 * page_size };
	int file = file_with("data", size, 16);
	char *private = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);

	check(private != MAP_FAILED && close(file) == 0);
	private[3 * page_size] ^= 1;
	delete_file("data");
	checkpoint_here();
	private[3 * page_size] ^= 1;
	check(is_filled(private, size, 16));
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/pipe_that_is_full.c
 * Filled to the last byte, at its own size, with a writer that may not block.
 */
#include "scenario.h"

int main(void)
{
	enum { size = 256 * 1024 };
	char *bytes = memory(size);
	int ends[2], small[2];

	check(pipe2(ends, O_NONBLOCK) == 0);
	check(fcntl(ends[0], F_SETPIPE_SZ, size) == size);
	fill(bytes, size, 57);
	check(write(ends[1], bytes, size) == size);
	check(write(ends[1], "x", 1) == -1 && errno == EAGAIN);
	check(pipe(small) == 0 && fcntl(small[1], F_SETPIPE_SZ, page_size) == page_size);
	checkpoint_here();
	check(fcntl(ends[1], F_GETPIPE_SZ) == size);
	check(fcntl(small[0], F_GETPIPE_SZ) == page_size);
	check(write(ends[1], "x", 1) == -1 && errno == EAGAIN);
	memset(bytes, 0, size);
	for (int done = 0; done < size;) {
		int count = read(ends[0], bytes + done, size - done);

		check(count > 0);
		done += count;
	}
	check(is_filled(bytes, size, 57));
	check(read(ends[0], bytes, 1) == -1 && errno == EAGAIN);
	check(fcntl(small[0], F_GETFL) == O_RDONLY && fcntl(small[1], F_GETFL) == O_WRONLY);
	return passed();
}

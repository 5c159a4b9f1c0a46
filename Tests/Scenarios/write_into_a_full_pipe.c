/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/write_into_a_full_pipe.c
 * A writer asleep on a full pipe goes on when the pipe is emptied, and no byte is lost or doubled.
 */
#include "scenario.h"

enum { size = 300000 };

int main(void)
{
	static unsigned char sent[size], received[size];
	int ends[2], done = 0;
	pid_t writer;

	check(pipe(ends) == 0);
	fill(sent, size, 32);
	writer = fork();
	if (writer == 0) {
		check(close(ends[0]) == 0);
		while (done < size) {
			/* May come back short, as after any stop. */
			ssize_t count = write(ends[1], sent + done, size - done);

			check(count > 0);
			done += count;
		}
		_exit(0);
	}
	check(close(ends[1]) == 0);
	await_blocked_in(writer, SYS_write);
	checkpoint_here();
	while (done < size) {
		ssize_t count = read(ends[0], received + done, size - done);

		check(count > 0);
		done += count;
	}
	check(memcmp(sent, received, size) == 0);
	check(read(ends[0], received, 1) == 0);
	check_exits_with(writer, 0);
	return passed();
}

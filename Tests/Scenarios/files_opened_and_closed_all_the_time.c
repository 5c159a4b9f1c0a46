/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/files_opened_and_closed_all_the_time.c
 * Descriptors come and go while the table is read.
 */
#include "scenario.h"
#include <pthread.h>

static volatile bool stop;

static void *open_and_close(void *unused)
{
	char path[PATH_MAX], bytes[16];

	path_in_scenario(path, "data");
	while (!stop) {
		int file = open(path, O_RDWR), ends[2], twin;

		check(file >= 0 && pipe(ends) == 0);
		twin = dup(file);
		check(write(ends[1], "pipe", 4) == 4 && pread(twin, bytes, 16, 0) == 16);
		check(is_filled(bytes, 16, 90));
		check(read(ends[0], bytes, 16) == 4 && memcmp(bytes, "pipe", 4) == 0);
		check(close(twin) == 0 && close(file) == 0);
		check(close(ends[0]) == 0 && close(ends[1]) == 0);
	}
	return unused;
}

int main(void)
{
	pthread_t threads[2];

	check(close(file_with("data", page_size, 90)) == 0);
	for (int i = 0; i < 2; i++)
		check(pthread_create(&threads[i], NULL, open_and_close, NULL) == 0);
	checkpoint_here();
	checkpoint_here();
	for (int i = 0; i < 10; i++)
		pause_briefly();
	stop = true;
	for (int i = 0; i < 2; i++)
		check(pthread_join(threads[i], NULL) == 0);
	return passed();
}

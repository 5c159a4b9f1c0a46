/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/mappings_changing_all_the_time.c
 * One thread maps and unmaps without pause, another allocates: the list is never at rest.
 */
#include "scenario.h"
#include <pthread.h>

static volatile bool stop;

static void *map_and_unmap(void *unused)
{
	for (unsigned i = 1; !stop; i++) {
		size_t size = (i % 7 + 1) * page_size;
		char *bytes = memory(size);

		fill(bytes, size, i);
		check(mprotect(bytes, page_size, PROT_READ) == 0);
		check(is_filled(bytes, size, i));
		check(munmap(bytes, size) == 0);
	}
	return unused;
}

static void *allocate_and_free(void *unused)
{
	for (unsigned i = 1; !stop; i++) {
		char *block = malloc(i % 100000 + 1);

		fill(block, i % 100000 + 1, i);
		check(is_filled(block, i % 100000 + 1, i));
		free(block);
	}
	return unused;
}

int main(void)
{
	pthread_t threads[2];

	check(pthread_create(&threads[0], NULL, map_and_unmap, NULL) == 0);
	check(pthread_create(&threads[1], NULL, allocate_and_free, NULL) == 0);
	checkpoint_here();
	checkpoint_here();
	for (int i = 0; i < 10; i++)
		pause_briefly();
	stop = true;
	for (int i = 0; i < 2; i++)
		check(pthread_join(threads[i], NULL) == 0);
	return passed();
}

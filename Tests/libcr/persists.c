/* SPDX-License-Identifier: Apache-2.0
 * Destructors of thread-specific data that use the library: with cr_inc_persist() it is there for
 * them, until cr_dec_persist(); without, their calls say CR_ENOINIT or still work, by their order.
 * Checkpoints come all the time.
 */
#include <pthread.h>
#include "harness.h"

enum { KEYS = 2 };

static pthread_key_t keys[2 * KEYS];
static volatile long ended, failures, checkpoints;
static int persists;

struct user {
	int rounds, key;
	cr_client_id_t id;
};

static int respond(void *unused)
{
	(void)unused;
	check(cr_checkpoint(CR_CHECKPOINT_READY) >= 0);
	__sync_fetch_and_add(&checkpoints, 1);
	return 0;
}

static void finish(void *argument)
{
	struct user *user = argument;

	if (persists) {
		/* It is still there, whichever destructor came first, in each round. */
		check(cr_enter_cs(user->id) == 0);
		check(cr_leave_cs(user->id) == 0);
		check(cr_status() >= 0);
		if (++user->rounds < 3) {
			check(!pthread_setspecific(keys[user->key], user));
			return;
		}
		check(cr_dec_persist() > 0);
	} else if (cr_enter_cs(user->id)) {
		check(errno == CR_ENOINIT);
		__sync_fetch_and_add(&failures, 1);
	} else {
		check(!cr_leave_cs(user->id));
	}
	free(user);
	__sync_fetch_and_add(&ended, 1);
}

static void *live(void *unused)
{
	cr_client_id_t id = cr_init();

	check(id >= 0);
	check(cr_register_callback(respond, NULL, CR_SIGNAL_CONTEXT) >= 0);
	for (int key = 0; key < 2 * KEYS; key++) {
		struct user *user = calloc(1, sizeof *user);

		user->id = id;
		user->key = key;
		if (persists)
			check(cr_inc_persist() == key);
		check(!pthread_setspecific(keys[key], user));
	}
	usleep(2000);
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t threads[4];
	long made = 0;

	check(argc == 2);
	persists = !strcmp(argv[1], "persist");
	/* Some before and some after the library's own key. */
	for (int key = 0; key < KEYS; key++)
		check(!pthread_key_create(&keys[key], finish));
	check(cr_init() >= 0);
	for (int key = KEYS; key < 2 * KEYS; key++)
		check(!pthread_key_create(&keys[key], finish));
	printf("main waits\n");
	fflush(stdout);
	while (access("end", F_OK)) {
		for (int i = 0; i < 4; i++)
			check(!pthread_create(&threads[i], NULL, live, NULL));
		for (int i = 0; i < 4; i++)
			check(!pthread_join(threads[i], NULL));
		made += 4;
	}
	check(ended == made * 2 * KEYS);
	/* The keys behind the library's own find nothing any more without it. */
	check(persists ? failures == 0 : failures > 0);
	printf("right: %ld threads, %ld callbacks\n", made, checkpoints);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 * A plugin's life: loads libcr with dlopen, uses it, unloads it, again and again, in several threads,
 * while somebody saves the program. Not linked with libcr. argv[1]: the library. argv[2]: what it
 * does there: only loads, or registers callbacks, too. Ends when there is a file `end`.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include "harness.h"

enum { THREADS = 2 };

static const char *path;
static int uses;
static atomic_int is_over;
static atomic_long loads, callbacks, restarts;
static int (*checkpoint)(int);
static volatile int own_signals;

static void own(int number)
{
	(void)number;
	own_signals++;
}

static int respond(void *unused)
{
	int result = checkpoint(CR_CHECKPOINT_READY);

	(void)unused;
	check(result >= 0);
	callbacks++;
	if (result > 0)
		restarts++;
	return 0;
}

static void *function(void *library, const char *name)
{
	void *found = dlsym(library, name);

	check(found);
	return found;
}

/* As a plugin does that is used by one thread. */
static void *live(void *unused)
{
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	int (*init)(void), (*enter)(int), (*leave)(int), (*enroll)(cr_callback_t, void *, int);
	int id;

	if (!library)
		fprintf(stderr, "%s\n", dlerror());
	check(library);
	loads++;
	if (uses) {
		*(void **)&init = function(library, "cr_init");
		*(void **)&enter = function(library, "cr_enter_cs");
		*(void **)&leave = function(library, "cr_leave_cs");
		*(void **)&enroll = function(library, "cr_register_callback");
		*(void **)&checkpoint = function(library, "cr_checkpoint");
		id = init();
		check(id >= 0);
		check(enroll(respond, NULL, CR_SIGNAL_CONTEXT) >= 0);
		check(enter(id) == 0 && leave(id) == 0);
		usleep(500);
	}
	check(!dlclose(library));
	/* The thread ends, and its state with it, after the library has been closed. */
	return unused;
}

static void *make(void *unused)
{
	while (!is_over) {
		pthread_t thread;

		check(!pthread_create(&thread, NULL, live, NULL));
		check(!pthread_join(thread, NULL));
	}
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t makers[THREADS];

	check(argc == 3);
	path = argv[1];
	uses = strcmp(argv[2], "loads");
	if (!strcmp(argv[2], "owns")) {
		check(signal(CR_SIGNUM, own) != SIG_ERR);
		check(!pthread_create(&makers[0], NULL, live, NULL) && !pthread_join(makers[0], NULL));
		check(!raise(CR_SIGNUM) && own_signals == 1);
	}
	printf("main waits\n");
	fflush(stdout);
	for (int i = 0; i < THREADS; i++)
		check(!pthread_create(&makers[i], NULL, make, NULL));
	while (access("end", F_OK))
		usleep(2000);
	is_over = 1;
	for (int i = 0; i < THREADS; i++)
		check(!pthread_join(makers[i], NULL));
	check(!own_signals || (!raise(CR_SIGNUM) && own_signals == 2));
	printf("right: %ld loads, %ld callbacks, %ld restarts\n", loads, callbacks, restarts);
	return 0;
}

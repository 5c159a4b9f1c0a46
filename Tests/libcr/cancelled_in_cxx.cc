/* SPDX-License-Identifier: Apache-2.0
 * Cancelled inside a callback of signal context, a thread leaves the frames of the handler and of the library,
 * and then its own, with the destructors of their objects.
 */
#include <libcr.h>
#include <pthread.h>
#include <unistd.h>
#include <cstdio>
#include <cstdlib>

static volatile int destroyed, inside, lives = 1;

#define check(truth) \
	do { \
		if (!(truth)) { \
			std::fprintf(stderr, "line %d: %s\n", __LINE__, #truth); \
			std::exit(1); \
		} \
	} while (0)

struct Object {
	~Object() { destroyed = destroyed + 1; }
};

static int respond(void *)
{
	Object own;

	inside = 1;
	for (int turn = 0; turn < 5000; turn++)
		usleep(1000); /* a cancellation point */
	return 0;
}

static void compute(unsigned depth)
{
	Object own;

	if (depth)
		compute(depth - 1);
	while (lives)
		usleep(1000);
}

static void *live(void *)
{
	Object own;

	check(cr_init() >= 0);
	check(cr_register_callback(respond, nullptr, CR_SIGNAL_CONTEXT) >= 0);
	compute(2);
	return nullptr;
}

int main()
{
	pthread_t thread;
	void *result;

	check(!pthread_create(&thread, nullptr, live, nullptr));
	usleep(20000);
	std::printf("main waits\n");
	std::fflush(stdout);
	while (!inside)
		usleep(1000);
	check(!pthread_cancel(thread) && !pthread_join(thread, &result));
	check(result == PTHREAD_CANCELED);
	std::printf("destroyed %d\n", destroyed);
	std::fflush(stdout);
	while (access("end", F_OK))
		usleep(1000);
	return destroyed == 5 ? 0 : 1;
}

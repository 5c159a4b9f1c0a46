/* SPDX-License-Identifier: Apache-2.0
 * The lock between critical sections and callbacks, from inside, with no engine: many of one class
 * together, never one of each; sections nest, also in a signal handler, while a run of callbacks
 * waits. Runs under qemu-user too; any argument: without signals.
 */
#include <pthread.h>
#include <signal.h>
#include "cr.h"
#include "harness.h"

enum { SECTIONS = 3, RUNS = 2, TURNS = 60 };

static cri_word sections, runs, step, together, handled;
static cr_client_id_t id;
static int has_signals;

static void await(cri_word *word, uint32_t value)
{
	for (int turn = 0; cri_load(word) != value && turn < 20000; turn++)
		usleep(500);
	check(cri_load(word) == value);
}

static void *run_once(void *unused)
{
	cri_lock_run();
	cri_store(&step, 1);
	await(&step, 2);
	cri_unlock_run();
	return unused;
}

static void *enter_once(void *unused)
{
	cr_client_id_t own = cr_init();

	check(own >= 0 && cr_status() == CR_STATE_ACTIVE);
	check(cr_tryenter_cs(own) > 0);
	cri_store(&step, 2);
	check(cr_enter_cs(own) == 0);
	check(cr_status() == CR_STATE_IDLE);
	check(cr_leave_cs(own) == 0);
	return unused;
}

/* One thread of each class, step by step. */
static void in_steps(void)
{
	cr_client_id_t other = cr_init();
	pthread_t runner, enterer;

	check(cr_enter_cs(id) == 0 && cr_status() == CR_STATE_IDLE);
	check(!pthread_create(&runner, NULL, run_once, NULL));
	for (int turn = 0; cr_status() != CR_STATE_PENDING && turn < 20000; turn++)
		usleep(500);
	check(cr_status() == CR_STATE_PENDING && cri_load(&step) == 0);
	/* Who is in one already may go further in, by the same id and by another. */
	check(cr_enter_cs(id) == 0 && cr_tryenter_cs(other) == 0);
	check(cr_leave_cs(id) == 0 && cr_leave_cs(id) == 0);
	usleep(5000);
	check(cri_load(&step) == 0 && cr_status() == CR_STATE_PENDING);
	check(cr_leave_cs(other) == 0);
	await(&step, 1);
	check(!pthread_create(&enterer, NULL, enter_once, NULL));
	check(!pthread_join(runner, NULL) && !pthread_join(enterer, NULL));
	check(cr_status() == CR_STATE_IDLE && cri_block.lock == 0);
}

static void *enter_together(void *unused)
{
	cr_client_id_t own = cr_init();

	check(own >= 0 && cr_enter_cs(own) == 0);
	cri_add(&together, 1);
	await(&together, SECTIONS);
	check(cr_leave_cs(own) == 0);
	return unused;
}

static void *run_together(void *unused)
{
	cri_lock_run();
	cri_add(&together, 1);
	await(&together, RUNS);
	cri_unlock_run();
	return unused;
}

/* Each waits inside for all others of its class. */
static void as_one(int count, void *(*body)(void *))
{
	pthread_t threads[SECTIONS + RUNS];

	cri_store(&together, 0);
	for (int i = 0; i < count; i++)
		check(!pthread_create(&threads[i], NULL, body, NULL));
	for (int i = 0; i < count; i++)
		check(!pthread_join(threads[i], NULL));
	check(cri_block.lock == 0);
}

static void *section(void *unused)
{
	cr_client_id_t own = cr_init();

	check(own >= 0);
	for (int turn = 0; turn < TURNS; turn++) {
		check(cr_enter_cs(own) == 0);
		cri_add(&sections, 1);
		check(cri_load(&runs) == 0);
		usleep(200);
		check(cri_load(&runs) == 0);
		cri_add(&sections, -1u);
		check(cr_leave_cs(own) == 0);
	}
	return unused;
}

static void *run(void *unused)
{
	for (int turn = 0; turn < TURNS / 2; turn++) {
		cri_lock_run();
		cri_add(&runs, 1);
		check(cri_load(&sections) == 0);
		usleep(200);
		check(cri_load(&sections) == 0);
		cri_add(&runs, -1u);
		cri_unlock_run();
		usleep(200);
	}
	return unused;
}

static void handle(int number)
{
	int error = errno;

	(void)number;
	check(cr_enter_cs(id) == 0);
	check(cri_load(&runs) == 0);
	check(cr_leave_cs(id) == 0);
	cri_add(&handled, 1);
	errno = error;
}

/* Both classes in many threads, and a section in the handler of a signal that comes at any moment. */
static void in_a_crowd(void)
{
	pthread_t threads[SECTIONS + RUNS];

	signal(SIGUSR1, handle);
	for (int i = 0; i < SECTIONS + RUNS; i++)
		check(!pthread_create(&threads[i], NULL, i < SECTIONS ? section : run, NULL));
	for (int turn = 0; turn < 3 * TURNS; turn++) {
		/* Sent to itself too: in the midst of nothing, and in a section. */
		check(cr_enter_cs(id) == 0);
		if (has_signals)
			raise(SIGUSR1);
		check(cr_leave_cs(id) == 0);
		if (has_signals)
			raise(SIGUSR1);
	}
	for (int i = 0; i < SECTIONS + RUNS; i++)
		check(!pthread_join(threads[i], NULL));
	check(cri_load(&handled) == (has_signals ? 6 * TURNS : 0) && cri_block.lock == 0);
	check(cr_status() == CR_STATE_IDLE);
}

static void *interrupt(void *thread)
{
	while (cri_load(&step) == 2) {
		pthread_kill(*(pthread_t *)thread, SIGUSR1);
		usleep(100);
	}
	return NULL;
}

/* The handler comes while the section is being entered or left. */
static void interrupted(void)
{
	pthread_t me = pthread_self(), thread;
	uint32_t before = cri_load(&handled);

	check(!pthread_create(&thread, NULL, interrupt, &me));
	while (cri_load(&handled) < before + 200)
		check(cr_enter_cs(id) == 0 && cr_enter_cs(id) == 0 && cr_leave_cs(id) == 0
			&& cr_leave_cs(id) == 0);
	cri_store(&step, 3);
	check(!pthread_join(thread, NULL));
	check(cri_block.lock == 0);
	check_fails(cr_leave_cs(id), EINVAL);
}

int main(int argc, char **argv)
{
	(void)argv;
	has_signals = argc == 1;
	id = cr_init();
	check(id >= 0);
	in_steps();
	as_one(SECTIONS, enter_together);
	as_one(RUNS, run_together);
	in_a_crowd();
	if (has_signals)
		interrupted();
	return 0;
}

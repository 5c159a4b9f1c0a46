/* SPDX-License-Identifier: Apache-2.0
 * The atomics under libcr, from inside: what one thread sees, that nothing is lost among many, and
 * that neither loads nor stores overtake where the library relies on it. Runs under qemu-user too.
 */
#include <pthread.h>
#include "cr.h"
#include "harness.h"

enum { THREADS = 4, TURNS = 20000, LITMUS = 5000 };

static cri_word swapped, added, turn, flags[2], message, is_there;
static volatile unsigned inside, both;

static void alone(void)
{
	cri_word word = 5;

	check(cri_load(&word) == 5);
	check(!cri_swap(&word, 4, 9) && word == 5);
	check(cri_swap(&word, 5, 0x80000001u) && word == 0x80000001u);
	check(cri_add(&word, 0x7fffffffu) == 0 && word == 0);
	check(cri_add(&word, -3u) == 0xfffffffdu && word == 0xfffffffdu);
	cri_store(&word, 0xdeadbeefu);
	check(cri_load(&word) == 0xdeadbeefu);
	/* Half words that are counted on their own, as the lock of critical sections has them. */
	cri_store(&word, 0);
	check(cri_add(&word, CR_LOCK_RUN) == CR_LOCK_RUN);
	check(cri_add(&word, CR_LOCK_SECTION) == (CR_LOCK_RUN | CR_LOCK_SECTION));
	check(cri_add(&word, -CR_LOCK_RUN) == CR_LOCK_SECTION);
	AO_int_or_full((volatile unsigned *)&word, CR_LOCK_WAITED);
	check(word == (CR_LOCK_WAITED | CR_LOCK_SECTION));
}

static void *count(void *unused)
{
	for (int i = 0; i < TURNS; i++) {
		uint32_t old;

		cri_add(&added, 3);
		do
			old = cri_load(&swapped);
		while (!cri_swap(&swapped, old, old + 7));
	}
	return unused;
}

/* Peterson's lock: wrong at once where a load overtakes the store before it. */
static void *exclude(void *number)
{
	unsigned me = (unsigned)(long)number;

	for (int i = 0; i < LITMUS; i++) {
		unsigned turns = 0;

		cri_store(&flags[me], 1);
		cri_store(&turn, 1 - me);
		while (cri_load(&flags[1 - me]) && cri_load(&turn) == 1 - me)
			if (++turns % 64 == 0)
				usleep(50);
		both += inside;
		inside = 1;
		inside = 0;
		cri_store(&flags[me], 0);
	}
	return NULL;
}

/* What was written before the number is there when the number is. */
static void *tell(void *unused)
{
	for (uint32_t i = 1; i <= 4 * LITMUS; i++) {
		message = i;
		cri_store(&is_there, i);
	}
	return unused;
}

static void *hear(void *unused)
{
	uint32_t number;

	for (int i = 0; i < 4 * LITMUS; i++) {
		number = cri_load(&is_there);
		check(message >= number);
	}
	return unused;
}

static void run(int threads, void *(*first)(void *), void *(*second)(void *))
{
	pthread_t thread[THREADS];

	for (int i = 0; i < threads; i++)
		check(!pthread_create(&thread[i], NULL, i & 1 ? second : first, (void *)(long)i));
	for (int i = 0; i < threads; i++)
		check(!pthread_join(thread[i], NULL));
}

int main(void)
{
	alone();
	run(THREADS, count, count);
	check(added == 3u * THREADS * TURNS && swapped == 7u * THREADS * TURNS);
	run(2, exclude, exclude);
	check(both == 0);
	run(2, tell, hear);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* arch/arm/scenarios/calls_in_thumb_and_arm.c
 * Threads sleep in a read that Thumb code has made, and in one that ARM code has made: both are made again, and
 * return where they were made, with all registers but r0 as they were.
 */
#include "scenario.h"
#include <pthread.h>

/* read(r0, r1, r2); what r4-r6 are afterwards, one word if they are right, in r0's place if it failed. */
#define READ(name, mode) \
	__asm__(".text\n\t" mode "\n\t" \
		".syntax unified\n\t" \
		".type " name ", %function\n" \
		name ":\n\t" \
		"push {r4-r7, lr}\n\t" \
		"mov r4, r0\n\t" \
		"mov r5, r1\n\t" \
		"mov r6, r2\n\t" \
		"mov r7, #3\n\t" \
		"svc #0\n\t" \
		"cmp r7, #3\n\t" \
		"bne 1f\n\t" \
		"cmp r5, r1\n\t" \
		"bne 1f\n\t" \
		"cmp r6, r2\n\t" \
		"beq 2f\n" \
		"1:\tmvn r0, #98\n" \
		"2:\tpop {r4-r7, pc}\n");

READ("read_in_thumb", ".thumb\n\t.thumb_func")
READ("read_in_arm", ".arm")
__asm__(".thumb");

int read_in_thumb(int from, void *bytes, unsigned count), read_in_arm(int from, void *bytes, unsigned count);

static int (*const calls[])(int, void *, unsigned) = { read_in_thumb, read_in_arm };
static int ends[2][2], results[2];
static char bytes[2][4];

static void *sleep_in(void *which)
{
	int number = (int)(intptr_t)which;

	results[number] = calls[number](ends[number][0], bytes[number], 4);
	return NULL;
}

int main(void)
{
	pthread_t threads[2];

	for (intptr_t i = 0; i < 2; i++) {
		check(pipe(ends[i]) == 0);
		check(pthread_create(&threads[i], NULL, sleep_in, (void *)i) == 0);
	}
	pause_briefly();
	checkpoint_here();
	for (int i = 0; i < 2; i++) {
		check(write(ends[i][1], i ? "arm" : "thu", 4) == 4);
		check(pthread_join(threads[i], NULL) == 0);
		check(results[i] == 4);
		check(strcmp(bytes[i], i ? "arm" : "thu") == 0);
	}
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* arch/arm/scenarios/registers_general.c
 * Every general register and the flags, in Thumb code inside an IT block and in ARM code; r0 looks as an
 * interrupted call's result does, in no call.
 */
#include "scenario.h"
#include <pthread.h>

static struct spinning {
	volatile uint32_t released, spinning;
	uint32_t before[14], after[14], status;
} in_thumb, in_arm;

/* The state is in lr; the stack pointer is as good as any other. */
#define SPIN(name, mode) \
	__asm__(".text\n\t" mode "\n\t" \
		".syntax unified\n\t" \
		".type " name ", %function\n" \
		name ":\n\t" \
		"push {r4-r11, lr}\n\t" \
		"mov lr, r0\n\t" \
		"add r12, lr, #8\n\t" \
		"ldm r12, {r0-r12}\n\t" \
		"push {r0}\n\t" \
		"mov r0, #1\n\t" \
		"str r0, [lr, #4]\n\t" \
		"movs r0, #0\n\t" \
		"adds r0, r0, #0\n\t" /* Z, and no C */ \
		"pop {r0}\n" \
		"1:\tpush {r0}\n\t" \
		"ldr r0, [lr]\n\t" \
		"teq r0, #0\n\t" /* Z while it is to go on; C and V stay */ \
		"pop {r0}\n\t" \
		"itttt eq\n\t" \
		"moveq r12, r12\n\t" \
		"moveq r11, r11\n\t" \
		"moveq r10, r10\n\t" \
		"beq 1b\n\t" \
		"push {r12}\n\t" \
		"add r12, lr, #64\n\t" \
		"stm r12, {r0-r11}\n\t" \
		"pop {r0}\n\t" \
		"str r0, [lr, #112]\n\t" \
		"mrs r0, apsr\n\t" \
		"str r0, [lr, #120]\n\t" \
		"pop {r4-r11, pc}\n");

SPIN("spin_in_thumb", ".thumb\n\t.thumb_func")
SPIN("spin_in_arm", ".arm")
__asm__(".thumb");

void spin_in_thumb(struct spinning *state), spin_in_arm(struct spinning *state);

static void *thumb(void *unused)
{
	spin_in_thumb(&in_thumb);
	return unused;
}

static void *arm(void *unused)
{
	spin_in_arm(&in_arm);
	return unused;
}

int main(void)
{
	struct spinning *all[] = { &in_thumb, &in_arm };
	void *(*code[])(void *) = { thumb, arm };
	pthread_t threads[2];

	for (int i = 0; i < 2; i++) {
		fill(all[i]->before, sizeof all[i]->before, 31 + i);
		all[i]->before[0] = -512 - i;
		check(pthread_create(&threads[i], NULL, code[i], NULL) == 0);
		while (!all[i]->spinning)
			pause_briefly();
	}
	checkpoint_here();
	for (int i = 0; i < 2; i++) {
		all[i]->released = 1;
		check(pthread_join(threads[i], NULL) == 0);
		check(memcmp(all[i]->before, all[i]->after, 13 * 4) == 0);
		check((all[i]->status & 0x70000000) == 0);
	}
	return passed();
}

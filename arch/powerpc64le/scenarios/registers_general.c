/* SPDX-License-Identifier: Apache-2.0 */
/* arch/powerpc64le/scenarios/registers_general.c
 * Every general register keeps its value, and so do link, count, condition and exception register; no
 * function call comes between, only a loop on memory.
 */
#include "scenario.h"
#include <pthread.h>

enum { links = 32, count, exceptions, conditions, words };

static struct {
	volatile uint64_t released, spinning;
} state;
static uint64_t before[words], after[words];

/* r1 has the stack; r29 and r30 are the loop's own, as is the last field of the condition register. */
void load_spin_and_store(const uint64_t *from, uint64_t *to, void *flags);
asm(".text\n"
    ".globl load_spin_and_store\n"
    ".type load_spin_and_store, @function\n"
    "load_spin_and_store:\n\t"
    "mflr 0\n\t"
    "std 0, 16(1)\n\t"
    "mfcr 0\n\t"
    "stw 0, 8(1)\n\t"
    "stdu 1, -512(1)\n\t"
    ".irp n, 2,4,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n\t"
    "std \\n, 64+8*\\n(1)\n\t"
    ".endr\n\t"
    "mr 30, 5\n\t"
    "ld 0, 8*32(3)\n\t"
    "mtlr 0\n\t"
    "ld 0, 8*33(3)\n\t"
    "mtctr 0\n\t"
    "ld 0, 8*34(3)\n\t"
    "mtxer 0\n\t"
    "ld 0, 8*35(3)\n\t"
    "mtcrf 255, 0\n\t"
    ".irp n, 0,2,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,31,3\n\t"
    "ld \\n, 8*\\n(3)\n\t"
    ".endr\n\t"
    "li 29, 1\n\t"
    "std 29, 8(30)\n"
    "1:\n\t"
    "ld 29, 0(30)\n\t"
    "cmpdi cr7, 29, 0\n\t"
    "beq cr7, 1b\n\t"
    "ld 29, 64+8*4(1)\n\t"
    ".irp n, 0,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,31\n\t"
    "std \\n, 8*\\n(29)\n\t"
    ".endr\n\t"
    "mflr 0\n\t"
    "std 0, 8*32(29)\n\t"
    "mfctr 0\n\t"
    "std 0, 8*33(29)\n\t"
    "mfxer 0\n\t"
    "std 0, 8*34(29)\n\t"
    "mfcr 0\n\t"
    "std 0, 8*35(29)\n\t"
    ".irp n, 2,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n\t"
    "ld \\n, 64+8*\\n(1)\n\t"
    ".endr\n\t"
    "addi 1, 1, 512\n\t"
    "lwz 0, 8(1)\n\t"
    "mtcrf 255, 0\n\t"
    "ld 0, 16(1)\n\t"
    "mtlr 0\n\t"
    "blr\n\t"
    ".size load_spin_and_store, . - load_spin_and_store\n");

static void *spin(void *unused)
{
	(void)unused;
	fill(before, sizeof before, 21);
	/* Summary overflow, carry, and the length of a string; what else there is of it stays 0. */
	before[exceptions] = 0xa0000025;
	before[conditions] &= 0xfffffff0;
	load_spin_and_store(before, after, &state);
	after[conditions] &= 0xfffffff0;
	for (int mine = 0; mine < words; mine++)
		if (mine == 1 || mine == 29 || mine == 30)
			after[mine] = before[mine];
	return NULL;
}

int main(void)
{
	pthread_t thread;

	check(pthread_create(&thread, NULL, spin, NULL) == 0);
	while (!state.spinning)
		pause_briefly();
	checkpoint_here();
	state.released = 1;
	check(pthread_join(thread, NULL) == 0);
	for (int word = 0; word < words; word++) {
		if (before[word] != after[word])
			dprintf(2, "word %d: %lx, was %lx\n", word, after[word], before[word]);
		check(before[word] == after[word]);
	}
	return passed();
}

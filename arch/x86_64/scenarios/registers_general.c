/* SPDX-License-Identifier: Apache-2.0 */
/* arch/x86_64/scenarios/registers_general.c
 * Every general register keeps its value; no function call comes between, only a loop on memory.
 */
#include "scenario.h"
#include <pthread.h>

__attribute__((used)) static volatile int released, spinning;
__attribute__((used)) static uint64_t before[15], after[15];

static void *spin(void *unused)
{
	(void)unused;
	fill(before, sizeof before, 21);
	asm volatile("push %%rbp\n\t"
		     "lea before(%%rip), %%rax\n\t"
		     "mov 8(%%rax), %%rbx\n\t"
		     "mov 16(%%rax), %%rcx\n\t"
		     "mov 24(%%rax), %%rdx\n\t"
		     "mov 32(%%rax), %%rsi\n\t"
		     "mov 40(%%rax), %%rdi\n\t"
		     "mov 48(%%rax), %%rbp\n\t"
		     "mov 56(%%rax), %%r8\n\t"
		     "mov 64(%%rax), %%r9\n\t"
		     "mov 72(%%rax), %%r10\n\t"
		     "mov 80(%%rax), %%r11\n\t"
		     "mov 88(%%rax), %%r12\n\t"
		     "mov 96(%%rax), %%r13\n\t"
		     "mov 104(%%rax), %%r14\n\t"
		     "mov 112(%%rax), %%r15\n\t"
		     "mov (%%rax), %%rax\n\t"
		     "movl $1, spinning(%%rip)\n"
		     "1: pause\n\t"
		     "cmpl $0, released(%%rip)\n\t"
		     "je 1b\n\t"
		     "push %%rax\n\t"
		     "lea after(%%rip), %%rax\n\t"
		     "popq (%%rax)\n\t"
		     "mov %%rbx, 8(%%rax)\n\t"
		     "mov %%rcx, 16(%%rax)\n\t"
		     "mov %%rdx, 24(%%rax)\n\t"
		     "mov %%rsi, 32(%%rax)\n\t"
		     "mov %%rdi, 40(%%rax)\n\t"
		     "mov %%rbp, 48(%%rax)\n\t"
		     "mov %%r8, 56(%%rax)\n\t"
		     "mov %%r9, 64(%%rax)\n\t"
		     "mov %%r10, 72(%%rax)\n\t"
		     "mov %%r11, 80(%%rax)\n\t"
		     "mov %%r12, 88(%%rax)\n\t"
		     "mov %%r13, 96(%%rax)\n\t"
		     "mov %%r14, 104(%%rax)\n\t"
		     "mov %%r15, 112(%%rax)\n\t"
		     "pop %%rbp" ::
			     : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11",
			       "r12", "r13", "r14", "r15", "memory", "cc");
	return NULL;
}

int main(void)
{
	pthread_t thread;

	check(pthread_create(&thread, NULL, spin, NULL) == 0);
	while (!spinning)
		pause_briefly();
	checkpoint_here();
	released = 1;
	check(pthread_join(thread, NULL) == 0);
	check(memcmp(before, after, sizeof before) == 0);
	return passed();
}

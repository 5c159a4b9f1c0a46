/* SPDX-License-Identifier: Apache-2.0 */
/* arch/i386/scenarios/registers_general.c
 * Every general register and the flags that a program may set, in a loop that never calls.
 */
#include "scenario.h"
#include <pthread.h>

volatile int started, over;
uint32_t seen[8];

__asm__(".text\n"
	"spin:\n\t"
	"pushal\n\t"
	"mov $0x11111111, %ebx\n\t"
	"mov $0x22222222, %ecx\n\t"
	"mov $0x33333333, %edx\n\t"
	"mov $0x44444444, %esi\n\t"
	"mov $0x55555555, %edi\n\t"
	"mov $0x66666666, %ebp\n\t"
	"mov $-516, %eax\n\t" /* as a restart's code looks, but in no call */
	"std\n\t"
	"stc\n\t"
	"movl $1, started\n"
	"1:\ttestb $0, %al\n\t"
	"stc\n\t"
	"jnc 2f\n\t"
	"cmpl $0, over\n\t"
	"je 1b\n"
	"2:\tpushfl\n\t"
	"popl seen+28\n\t"
	"cld\n\t"
	"mov %eax, seen\n\t"
	"mov %ebx, seen+4\n\t"
	"mov %ecx, seen+8\n\t"
	"mov %edx, seen+12\n\t"
	"mov %esi, seen+16\n\t"
	"mov %edi, seen+20\n\t"
	"mov %ebp, seen+24\n\t"
	"popal\n\t"
	"ret\n");
void spin(void);

static void *thread(void *unused)
{
	spin();
	return unused;
}

int main(void)
{
	pthread_t spinner;

	check(pthread_create(&spinner, NULL, thread, NULL) == 0);
	while (!started)
		pause_briefly();
	checkpoint_here();
	over = 1;
	check(pthread_join(spinner, NULL) == 0);
	check(seen[0] == (uint32_t)-516);
	for (uint32_t i = 1; i <= 6; i++)
		check(seen[i] == i * 0x11111111u);
	check(seen[7] & 0x400); /* the direction flag */
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* arch/powerpc64le/scenarios/registers_vector.c
 * The 64 vector-scalar registers of a computation that is under way, the modes of rounding and of
 * saturation, and VRSAVE. They survive also if the first thing that happens to the thread is a signal,
 * whose handler touches none of them.
 */
#include "scenario.h"
#include <pthread.h>

#pragma GCC target("cpu=power8")

static volatile uint64_t released, spinning;
static volatile int handled;
static char before[64 * 16] __attribute__((aligned(16))), after[64 * 16] __attribute__((aligned(16)));
static uint64_t mode_after;
static uint32_t saturation_after[4] __attribute__((aligned(16))), save_after;

enum { toward_zero = 1, non_java = 1 << 16, saturated = 1 };

#define VECTORS(numbers, base, operation) \
	".irp n, " numbers "\n\t" \
	"li 9, 16*\\n\n\t" operation " \\n, 9, " base "\n\t" \
	".endr\n\t"
#define ALL_VECTORS(base, operation) \
	VECTORS("0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20", base, operation) \
	VECTORS("21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39,40,41", base, operation) \
	VECTORS("42,43,44,45,46,47,48,49,50,51,52,53,54,55,56,57,58,59,60,61,62,63", base, operation)

static void *spin(void *unused)
{
	uint32_t saturation[4] __attribute__((aligned(16))) = { non_java | saturated };
	uint64_t save = 0x12345678;

	(void)unused;
	asm volatile("lvx 0, 0, %0\n\tmtvscr 0" ::"b"(saturation) : "v0", "memory");
	asm volatile("mtspr 256, %0" ::"r"(save));
	asm volatile("mtfsb0 30\n\tmtfsb1 31");
	asm volatile(ALL_VECTORS("%0", "lxvd2x")
		     "std %4, 0(%3)\n"
		     "1:\n\t"
		     "ld 9, 0(%2)\n\t"
		     "cmpdi cr7, 9, 0\n\t"
		     "beq cr7, 1b\n\t" ALL_VECTORS("%1", "stxvd2x") ::"b"(before),
		     "b"(after), "b"(&released), "b"(&spinning), "r"(1ul)
		     : "memory", "r9", "cr7", "vs0", "vs1", "vs2", "vs3", "vs4", "vs5", "vs6", "vs7",
		       "vs8", "vs9", "vs10", "vs11", "vs12", "vs13", "vs14", "vs15", "vs16", "vs17",
		       "vs18", "vs19", "vs20", "vs21", "vs22", "vs23", "vs24", "vs25", "vs26", "vs27",
		       "vs28", "vs29", "vs30", "vs31", "vs32", "vs33", "vs34", "vs35", "vs36", "vs37",
		       "vs38", "vs39", "vs40", "vs41", "vs42", "vs43", "vs44", "vs45", "vs46", "vs47",
		       "vs48", "vs49", "vs50", "vs51", "vs52", "vs53", "vs54", "vs55", "vs56", "vs57",
		       "vs58", "vs59", "vs60", "vs61", "vs62", "vs63");
	asm volatile("mffs 0\n\tstfd 0, 0(%0)" ::"b"(&mode_after) : "fr0", "memory");
	asm volatile("mfvscr 0\n\tstvx 0, 0, %0" ::"b"(saturation_after) : "v0", "memory");
	asm volatile("mfspr %0, 256" : "=r"(save));
	save_after = save;
	return NULL;
}

static void handle(int signal)
{
	(void)signal;
	handled = 1;
}

int main(void)
{
	pthread_t thread;
	uint64_t mode;

	fill(before, sizeof before, 22);
	check(signal(SIGUSR1, handle) != SIG_ERR);
	check(pthread_create(&thread, NULL, spin, NULL) == 0);
	while (!spinning)
		pause_briefly();
	checkpoint_here();
	check(pthread_kill(thread, SIGUSR1) == 0);
	while (!handled)
		pause_briefly();
	released = 1;
	check(pthread_join(thread, NULL) == 0);
	check(memcmp(before, after, sizeof before) == 0);
	check((mode_after & 3) == toward_zero);
	check(saturation_after[0] == (non_java | saturated));
	check(save_after == 0x12345678);
	/* The mode is the thread's, not the program's. */
	asm volatile("mffs 0\n\tstfd 0, 0(%0)" ::"b"(&mode) : "fr0", "memory");
	check((mode & 3) == 0);
	return passed();
}

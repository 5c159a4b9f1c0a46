/* SPDX-License-Identifier: Apache-2.0 */
/* arch/aarch64/scenarios/registers_sve.c
 * The scalable vectors and predicates, at the length that the program has chosen for itself.
 */
#include "scenario.h"
#include <pthread.h>
#include <sys/auxv.h>

#pragma GCC target("arch=armv8-a+sve")

enum { longest = 256 };

__attribute__((used)) static volatile uint64_t released, spinning;
static char before[32 * longest], after[32 * longest];
static char predicates[16 * longest / 8], predicates_after[16 * longest / 8];
static int bytes, bytes_after;

#define ALL_32(operation, base) \
	".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29," \
	"30,31\n\t" operation " z\\n, [" base ", #\\n, mul vl]\n\t.endr\n\t"
#define ALL_16(operation, base) \
	".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t" operation " p\\n, [" base \
	", #\\n, mul vl]\n\t.endr\n\t"

static int vector_length(void)
{
	uint64_t length;

	asm volatile("rdvl %0, #1" : "=r"(length));
	return length;
}

static void *spin(void *unused)
{
	(void)unused;
	bytes = vector_length();
	asm volatile(ALL_32("ldr", "%0") ALL_16("ldr", "%1")
		     "str %3, [%2, #0]\n"
		     "1: yield\n\t"
		     "ldr x9, [%4]\n\t"
		     "cbz x9, 1b\n\t" ALL_32("str", "%5") ALL_16("str", "%6") ::"r"(before),
		     "r"(predicates), "r"(&spinning), "r"(1ul), "r"(&released), "r"(after),
		     "r"(predicates_after)
		     : "memory", "x9", "cc");
	bytes_after = vector_length();
	return NULL;
}

int main(void)
{
	pthread_t thread;

	if (!(getauxval(AT_HWCAP) & HWCAP_SVE))
		cannot_run_here("this processor has no SVE");
	fill(before, sizeof before, 22);
	fill(predicates, sizeof predicates, 23);
	/* Not what a new program begins with. */
	check(prctl(PR_SVE_SET_VL, 32) >= 0);
	check(pthread_create(&thread, NULL, spin, NULL) == 0);
	while (!spinning)
		pause_briefly();
	checkpoint_here();
	released = 1;
	check(pthread_join(thread, NULL) == 0);
	check(bytes == bytes_after);
	check(memcmp(before, after, 32 * bytes) == 0);
	check(memcmp(predicates, predicates_after, 16 * bytes / 8) == 0);
	check((prctl(PR_SVE_GET_VL) & PR_SVE_VL_LEN_MASK) == 32 || bytes != 32);
	return passed();
}

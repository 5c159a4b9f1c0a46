/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/clock_read_through_the_vdso.c
 * Code keeps pointers into the vdso; it and the data page beside it must be where they were.
 */
#include "scenario.h"
#include <sys/auxv.h>
#include <sys/time.h>

int main(void)
{
	unsigned long vdso = getauxval(AT_SYSINFO_EHDR);
	struct timeval before, after;
	struct timespec direct, quick;
	int64_t monotonic = now();

	check(gettimeofday(&before, NULL) == 0);
	checkpoint_here();
	check(getauxval(AT_SYSINFO_EHDR) == vdso);
	if (vdso)
		check(memcmp((void *)vdso, "\177ELF", 4) == 0);
	check(now() >= monotonic);
	check(gettimeofday(&after, NULL) == 0 && after.tv_sec >= before.tv_sec);
	check(time(NULL) >= before.tv_sec);
	for (int i = 0; i < 100000; i++) {
		check(clock_gettime(CLOCK_REALTIME, &quick) == 0);
	}
	check(syscall(SYS_clock_gettime, CLOCK_REALTIME, &direct) == 0);
	check(direct.tv_sec - quick.tv_sec <= 1);
	return passed();
}

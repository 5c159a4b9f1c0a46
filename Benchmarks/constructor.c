/* SPDX-License-Identifier: Apache-2.0
 * constructor: prints the nanoseconds from before a library's constructor to after it. Linked statically
 * with the library, once in a process; first it has met the clock's and its own pages.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>

static struct timespec begin, end;

__attribute__((__constructor__(101))) static void before(void)
{
	clock_gettime(CLOCK_MONOTONIC, &end);
	clock_gettime(CLOCK_MONOTONIC, &begin);
}

int main(void)
{
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("%lld\n", (long long)(end.tv_sec - begin.tv_sec) * 1000000000 + end.tv_nsec - begin.tv_nsec);
	return 0;
}

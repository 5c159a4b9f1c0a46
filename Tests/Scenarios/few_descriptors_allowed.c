/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/few_descriptors_allowed.c
 * A limit of descriptors that leaves no room for anybody else's.
 */
#include "scenario.h"
#include <sys/resource.h>

int main(void)
{
	struct rlimit limit = { 6, 6 };
	int ends[2], high;

	high = fcntl(1, F_DUPFD, 100);
	check(high == 100);
	check(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	check(dup(0) == 3 && dup(0) == 4 && dup(0) == 5);
	check(close(5) == 0);
	checkpoint_here();
	/* Beyond the limit, and yet open since before. */
	check(fcntl(100, F_GETFD) == 0);
	check(pipe(ends) == -1 && errno == EMFILE);
	check(dup(0) == 5);
	check(dup(0) == -1 && errno == EMFILE);
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/out_of_memory_score_and_core_filter.c
 * Two settings that live in files of /proc only.
 */
#include "scenario.h"

static void put(const char *path, const char *value)
{
	int file = open(path, O_WRONLY);

	check(file >= 0);
	check(write(file, value, strlen(value)) == (ssize_t)strlen(value));
	check(close(file) == 0);
}

static long get(const char *path, int base)
{
	char text[64] = { 0 };
	int file = open(path, O_RDONLY);

	check(file >= 0 && read(file, text, sizeof text - 1) > 0 && close(file) == 0);
	return strtol(text, NULL, base);
}

int main(void)
{
	put("/proc/self/oom_score_adj", "321");
	put("/proc/self/coredump_filter", "0x7");
	checkpoint_here();
	check(get("/proc/self/oom_score_adj", 10) == 321);
	check(get("/proc/self/coredump_filter", 16) == 7);
	return passed();
}

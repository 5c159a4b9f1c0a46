/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/advice_on_memory.c
 * What madvise(2) was told is part of a mapping, and shows in its VmFlags.
 */
#include "scenario.h"
#include <sys/syscall.h>

static const struct {
	int advice;
	const char *word;
} advices[] = {
	{ MADV_HUGEPAGE, "hg" },   { MADV_NOHUGEPAGE, "nh" }, { MADV_DONTFORK, "dc" },
	{ MADV_WIPEONFORK, "wf" }, { MADV_DONTDUMP, "dd" },   { MADV_RANDOM, "rr" },
	{ MADV_SEQUENTIAL, "sr" }, { MADV_MERGEABLE, "mg" },
};

enum { count = sizeof advices / sizeof *advices, size = 4 * page_size };

int main(void)
{
	char *memories[count], *plain = memory(size);
	bool has[count];

	for (int i = 0; i < count; i++) {
		/* Apart, or the kernel might join neighbours. */
		memory(page_size);
		memories[i] = memory(size);
		check(madvise(memories[i], size, advices[i].advice) == 0 || errno == EINVAL);
		memories[i][0] = i;
		has[i] = has_vm_flag(memories[i], advices[i].word);
	}
	check(has[2] && has[3] && has[4] && has[5] && has[6]);
	checkpoint_here();
	for (int i = 0; i < count; i++) {
		check(memories[i][0] == i);
		check(has_vm_flag(memories[i], advices[i].word) == has[i]);
		check(!has_vm_flag(plain, advices[i].word));
	}
	return passed();
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* Question: are areas of memory a list (before 6.1)? */
/* One of: areas */
#include "probe.h"
#include <linux/mm.h>

unsigned long probe(struct mm_struct *mm);
unsigned long probe(struct mm_struct *mm)
{
	struct vm_area_struct *area;
	unsigned long count = 0;

	for (area = mm->mmap; area; area = area->vm_next)
		count++;
	return count;
}

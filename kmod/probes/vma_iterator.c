/* SPDX-License-Identifier: GPL-2.0-only */
/* Question: are areas of memory in a maple tree (6.1)? */
/* One of: areas */
#include "probe.h"
#include <linux/mm.h>

unsigned long probe(struct mm_struct *mm);
unsigned long probe(struct mm_struct *mm)
{
	struct vm_area_struct *area;
	unsigned long count = 0;
	VMA_ITERATOR(iterator, mm, 0);

	for_each_vma(iterator, area)
		count++;
	return count;
}

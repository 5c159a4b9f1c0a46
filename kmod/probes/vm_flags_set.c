/* SPDX-License-Identifier: GPL-2.0-only */
/* Question: are the flags of an area changed by functions (6.3)? */
#include "probe.h"
#include <linux/mm.h>

void probe(struct vm_area_struct *area);
void probe(struct vm_area_struct *area)
{
	vm_flags_set(area, VM_DONTCOPY);
}

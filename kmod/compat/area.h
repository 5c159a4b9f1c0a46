/* SPDX-License-Identifier: GPL-2.0-only */
/* Areas of memory, and pages of another's. */
#ifndef BLCR_AREA_H
#define BLCR_AREA_H

#include <linux/mm.h>

#include "blcr_config.h"

#if !CR_HAVE_VM_FLAGS_SET
static inline void vm_flags_set(struct vm_area_struct *area, unsigned long flags)
{
	area->vm_flags |= flags;
}
#endif

#if CR_HAVE_GUP_REMOTE_7
#define cr_get_pages(mm, address, count, flags, pages, locked) \
	get_user_pages_remote(mm, address, count, flags, pages, NULL, locked)
#else
#define cr_get_pages(mm, address, count, flags, pages, locked) \
	get_user_pages_remote(mm, address, count, flags, pages, locked)
#endif

#endif

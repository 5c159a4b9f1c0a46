/* SPDX-License-Identifier: GPL-2.0-only */
/* Question: does get_user_pages_remote() take 6 arguments (6.5)? */
/* One of: pages */
#include "probe.h"
#include <linux/mm.h>

long probe(struct mm_struct *mm, unsigned long address, struct page **pages);
long probe(struct mm_struct *mm, unsigned long address, struct page **pages)
{
	int locked = 1;

	return get_user_pages_remote(mm, address, 1, FOLL_FORCE | FOLL_DUMP, pages, &locked);
}

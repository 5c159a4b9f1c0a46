/* SPDX-License-Identifier: Apache-2.0
 * Kernel interfaces of /proc that are newer than the headers of the distributions we build on.
 */
#ifndef CR_PROC_H
#define CR_PROC_H

#include <stdint.h>

/* struct page_region and struct pm_scan_arg of linux/fs.h, Linux 6.7. */
struct cr_page_region {
	uint64_t start;
	uint64_t end;
	uint64_t categories;
};

struct cr_pm_scan_arg {
	uint64_t size;
	uint64_t flags;
	uint64_t start;
	uint64_t end;
	uint64_t walk_end;
	uint64_t vec;
	uint64_t vec_len;
	uint64_t max_pages;
	uint64_t category_inverted;
	uint64_t category_mask;
	uint64_t category_anyof_mask;
	uint64_t return_mask;
};

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* Question: can a module be compiled, and does the kernel export what all modules need? */
#include "probe.h"
#include <linux/slab.h>

void *probe(size_t size);
void *probe(size_t size)
{
	pr_info("%zu\n", size);
	return kmalloc(size, GFP_KERNEL);
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* Question: can areas of memory be mapped and unmapped? */
/* Needed: yes */
#include "probe.h"
#include <linux/mm.h>
#include <linux/mman.h>

int probe(struct file *file, unsigned long address, unsigned long size);
int probe(struct file *file, unsigned long address, unsigned long size)
{
	if (vm_munmap(address, size))
		return -1;
	return vm_mmap(file, address, size, PROT_READ, MAP_PRIVATE | MAP_FIXED, 0) != address;
}

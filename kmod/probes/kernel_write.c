/* SPDX-License-Identifier: GPL-2.0-only */
/* Question: can the kernel write to a file? */
/* Needed: yes */
#include "probe.h"
#include <linux/fs.h>

ssize_t probe(struct file *file, const void *data, size_t size, loff_t *position);
ssize_t probe(struct file *file, const void *data, size_t size, loff_t *position)
{
	return kernel_write(file, data, size, position);
}

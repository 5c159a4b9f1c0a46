/* SPDX-License-Identifier: GPL-2.0-only */
/* Question: can a file be made a descriptor of the task in one step (6.1)? */
#include "probe.h"
#include <linux/file.h>
#include <linux/fcntl.h>

int probe(struct file *file);
int probe(struct file *file)
{
	return receive_fd(file, NULL, O_CLOEXEC);
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* Question: does receive_fd() take 2 arguments (before 6.7)? */
#include "probe.h"
#include <linux/file.h>
#include <linux/fcntl.h>

int probe(struct file *file);
int probe(struct file *file)
{
	return receive_fd(file, O_CLOEXEC);
}

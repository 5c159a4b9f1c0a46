/* SPDX-License-Identifier: Apache-2.0
 * The only door from Swift to the kernel: raw system calls of our own process, and the kernel's
 * structures and constants. Everything returns -errno, never sets errno.
 */
#ifndef CR_CLINUX_H
#define CR_CLINUX_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
/* Else __u64 is an unsigned long on 64-bit PowerPC, which is another type to Swift (asm/types.h). */
#ifndef __SANE_USERSPACE_TYPES__
#define __SANE_USERSPACE_TYPES__
#endif
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>
#include "file.h"
#include "ipc.h"
#include "objects.h"
#include "queue.h"
#include "repair.h"
#include "rooms.h"
#include "servers.h"
#include "sockets.h"
#include "terminals.h"
#include "tool.h"
#include "watch.h"

#include "cr_proc.h"
#include "module.h"
#include "trace.h"

/* One raw system call of this process; the kernel's own result (-errno on failure). */
long cr_syscall(long number, long a, long b, long c, long d, long e, long f);

/* The kernel's English sentence for an errno value (positive); static storage. */
const char *cr_errno_text(int number);

#endif

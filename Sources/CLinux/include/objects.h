/* SPDX-License-Identifier: Apache-2.0
 * Objects of the kernel behind descriptors: calls whose structures differ by machine, and ioctls
 * whose numbers do. Everything returns -errno, never sets errno.
 */
#ifndef CR_OBJECTS_H
#define CR_OBJECTS_H

#include <stdint.h>
#include <sys/ioctl.h>

/* Names that are expressions on some processors, which Swift does not see. */
enum { CR_FIONREAD = FIONREAD, CR_TIOCOUTQ = TIOCOUTQ };
enum { CR_TIOCSPGRP = TIOCSPGRP };

/* timerfd_settime(2); nanoseconds, flags TFD_TIMER_*. */
long cr_timer_set(int fd, int flags, uint64_t value, uint64_t interval);
/* timerfd_gettime(2): nanoseconds to the next expiration (0: none), and between two. */
long cr_timer_get(int fd, uint64_t *value, uint64_t *interval);
/* Expirations that nobody has read yet (TFD_IOC_SET_TICKS); not 0. */
long cr_timer_set_ticks(int fd, uint64_t ticks);

/* A pidfd of a process that has ended and was waited for. */
long cr_pidfd_of_ended(void);

#endif

/* SPDX-License-Identifier: Apache-2.0
 * Checks of the libcr tests: a failing one says where, and ends the program with 1.
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <errno.h>
#include <libcr.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define check(truth) \
	do { \
		if (!(truth)) { \
			fprintf(stderr, "%s:%d: %s (errno %d)\n", __FILE__, __LINE__, #truth, errno); \
			exit(1); \
		} \
	} while (0)

/* The call returns -1 and this errno. */
#define check_fails(call, number) check((errno = 0, (call) == -1) && errno == (number))

#endif

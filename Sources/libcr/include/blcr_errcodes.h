/* SPDX-License-Identifier: Apache-2.0
 * Error numbers of checkpoint/restart, above those of the system. cr_strerror() names them.
 */
#ifndef BLCR_ERRCODES_H
#define BLCR_ERRCODES_H 1

enum {
	CR_MIN_ERRCODE = 2353,

	/* A callback called this checkpoint off; everybody goes on. */
	CR_ETEMPFAIL = 2354,
	/* A callback gave up; every process of the request is killed. */
	CR_EPERMFAIL = 2355,
	/* A target does not take part: it has none of our libraries loaded. */
	CR_ENOSUPPORT = 2356,
	/* The library and the engine do not speak the same version. */
	CR_EVERSION = 2357,
	/* This very process was left out of the checkpoint by its callback. */
	CR_EOMITTED = 2358,
	/* The context file is of another kind of machine. */
	CR_EBADARCH = 2359,
	/* A target is traced by somebody. */
	CR_EPTRACED = 2360,
	/* A target traces somebody. */
	CR_EPTRACER = 2361,
	/* A callback failed after the restart. */
	CR_ERSTRTABRT = 2362,
	/* The request is the one that we were restarted from: it had succeeded. */
	CR_ERESTARTED = 2363,
	/* Only allowed inside a callback. */
	CR_ENOTCB = 2364,
	/* The calling thread has not called cr_init(). */
	CR_ENOINIT = 2365,

	CR_MAX_ERRCODE = 2366
};

#endif

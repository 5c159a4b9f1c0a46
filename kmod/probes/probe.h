/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A probe is a module that asks one question: it is compiled with all of kbuild's flags and never loaded.
 * "Yes" is: it compiles, and the kernel exports what it calls. In its head:
 *   Question: what a person reads in the report
 *   Needed: yes        without it there is no module
 *   One of: WHAT       one of the probes with this word must succeed
 * The answer is CR_HAVE_NAME, of the file's name, in blcr_config.h: 0 or 1.
 */
#ifndef PROBE_H
#define PROBE_H

#include <linux/kernel.h>
#include <linux/module.h>

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("question to a kernel");

#endif

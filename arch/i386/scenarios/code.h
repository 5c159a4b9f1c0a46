/* SPDX-License-Identifier: Apache-2.0 */
/* arch/i386/scenarios/code.h
 * Two functions, for a program that makes its code itself.
 */
#ifndef CODE_H
#define CODE_H

/* mov $42, %eax; ret */
static const unsigned char returning_42[] = { 0xb8, 42, 0, 0, 0, 0xc3 };
static const unsigned char returning_43[] = { 0xb8, 43, 0, 0, 0, 0xc3 };

#endif

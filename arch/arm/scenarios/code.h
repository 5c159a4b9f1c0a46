/* SPDX-License-Identifier: Apache-2.0 */
/* arch/arm/scenarios/code.h
 * Two functions, for a program that makes its code itself.
 */
#ifndef CODE_H
#define CODE_H

/* mov r0, #42; bx lr */
static const unsigned int returning_42[] = { 0xe3a0002a, 0xe12fff1e };
static const unsigned int returning_43[] = { 0xe3a0002b, 0xe12fff1e };

#endif

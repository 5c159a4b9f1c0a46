/* SPDX-License-Identifier: Apache-2.0 */
/* arch/powerpc64le/scenarios/code.h
 * Two functions, for a program that makes its code itself.
 */
#ifndef CODE_H
#define CODE_H

/* li 3, 42; blr: with the second ABI a function's address is that of its code. */
static const unsigned int returning_42[] = { 0x3860002a, 0x4e800020 };
static const unsigned int returning_43[] = { 0x3860002b, 0x4e800020 };

#endif

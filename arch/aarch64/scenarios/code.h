/* SPDX-License-Identifier: Apache-2.0 */
/* arch/aarch64/scenarios/code.h
 * Two functions, for a program that makes its code itself.
 */
#ifndef CODE_H
#define CODE_H

/* mov w0, #42; ret */
static const unsigned int returning_42[] = { 0x52800540, 0xd65f03c0 };
static const unsigned int returning_43[] = { 0x52800560, 0xd65f03c0 };

#endif

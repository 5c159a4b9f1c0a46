/* SPDX-License-Identifier: Apache-2.0
 * XXH3 of libxxhash, whose header is mostly macros that Swift cannot see.
 */
#ifndef CR_HASH_H
#define CR_HASH_H

#include <stddef.h>
#include <stdint.h>

/* XXH3-64 of count bytes, seed 0. */
uint64_t cr_hash(const void *bytes, size_t count);

#endif

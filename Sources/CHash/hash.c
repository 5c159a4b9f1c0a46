/* SPDX-License-Identifier: Apache-2.0 */
/* Compiled in: the inlined form uses the vector unit that the compiler was told of, and the tool
 * needs no shared library on the node. */
#define XXH_INLINE_ALL
#include <xxhash.h>
#include "CHash.h"

uint64_t cr_hash(const void *bytes, size_t count)
{
	return XXH3_64bits(bytes, count);
}

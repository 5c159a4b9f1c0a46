/* SPDX-License-Identifier: Apache-2.0
 * A library that mapped_files.c calls late: code and data in pages of their own.
 */
#include <stdint.h>

static const uint32_t table[40000] = {[3] = 12, [20000] = 34567, [39999] = 8};

uint32_t library_sum(uint32_t start)
{
	for (int i = 0; i < 40000; i++)
		start = start * 29 + table[i];
	return start;
}

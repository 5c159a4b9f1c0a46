/* SPDX-License-Identifier: GPL-2.0-only */
/* Question: does a function compile that nothing declares? It must not */
#include "probe.h"

int probe(void);
int probe(void)
{
	return blcr_is_declared_nowhere(1);
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* Question: is a function exported that there is not? It must compile and be missed */
#include "probe.h"

int blcr_is_exported_nowhere(int);
int probe(void);
int blcr_is_exported_nowhere(int);
int probe(void)
{
	return blcr_is_exported_nowhere(1);
}

/* SPDX-License-Identifier: Apache-2.0
 * Atomic 32-bit words, by libatomic_ops, which knows how on every processor. Full barriers: none of
 * this is on a path where that could be felt.
 */
#ifndef CR_ATOMIC_H
#define CR_ATOMIC_H

#define AO_REQUIRE_CAS
#include <atomic_ops.h>
#include <stdint.h>

typedef volatile uint32_t cri_word;

static inline uint32_t cri_load(cri_word *word)
{
	return AO_int_load_acquire((volatile unsigned *)word);
}

static inline void cri_store(cri_word *word, uint32_t value)
{
	AO_nop_full();
	AO_int_store_release((volatile unsigned *)word, value);
	AO_nop_full();
}

/* Non-zero if *word was `old` and now is `new`. */
static inline int cri_swap(cri_word *word, uint32_t old, uint32_t new)
{
	return AO_int_compare_and_swap_full((volatile unsigned *)word, old, new);
}

static inline uint32_t cri_add(cri_word *word, uint32_t value)
{
	uint32_t old;

	do
		old = cri_load(word);
	while (!cri_swap(word, old, old + value));
	return old + value;
}

static inline void cri_pause(void)
{
	AO_compiler_barrier();
}

#endif

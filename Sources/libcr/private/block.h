/* SPDX-License-Identifier: Apache-2.0
 * A library's control block, and what every one of the three does when it is loaded.
 */
#ifndef CR_BLOCK_H
#define CR_BLOCK_H

#include <signal.h>
#include "cr_control.h"

#define CR_HIDDEN __attribute__((__visibility__("hidden")))
#define CR_PUBLIC __attribute__((__visibility__("default")))

/* Each library has its own. The name differs so that static archives can be linked together. */
#define CR_BLOCK_NAME_(kind) cri_block_##kind
#define CR_BLOCK_NAME(kind) CR_BLOCK_NAME_(kind)
#define cri_block CR_BLOCK_NAME(CR_BLOCK)
#define cri_load_library CR_BLOCK_NAME_2(CR_BLOCK)
#define CR_BLOCK_NAME_2(kind) CR_BLOCK_NAME_3(kind)
#define CR_BLOCK_NAME_3(kind) cri_load_##kind

extern CR_HIDDEN struct cr_control cri_block;

#define CR_TEXT_(x) #x
#define CR_TEXT(x) CR_TEXT_(x)

/* The block and the note that leads to it. Four-byte words in assembly, since C cannot say a
 * difference of addresses that the linker is to compute. */
#define CR_DEFINE_BLOCK(kind_number, kind_text) \
	CR_HIDDEN struct cr_control cri_block __attribute__((__aligned__(64))); \
	__asm__(".pushsection .note.blcr,\"a\",%note\n" \
		"\t.balign 4\n" \
		"\t.4byte 5, 12, " CR_TEXT(CR_CONTROL_NOTE_TYPE) "\n" \
		"\t.ascii \"BLCR\\0\\0\\0\\0\"\n" \
		"\t.4byte " CR_TEXT(CR_CONTROL_VERSION) ", " kind_text "\n" \
		"\t.4byte " CR_TEXT(cri_block) " - .\n" \
		"\t.popsection\n")

/* Of a library that valgrind preloads. The kernel has never heard of our handler there, and to have it called
 * from outside of valgrind would be the end of the program. */
extern void _vgnU_freeres(void) __attribute__((__weak__));

static inline int cri_is_in_valgrind(void)
{
	return _vgnU_freeres != 0;
}

/* What becomes of CR_SIGNUM when it has an action already. */
enum cri_displacing { CRI_YIELDS, CRI_DISPLACES };

/* Reserves CR_SIGNUM, installs the handler and fills the block in. Leaves errno alone. */
CR_HIDDEN void cri_load_library(uint32_t kind, enum cri_displacing,
	void (*handler)(int, siginfo_t *, void *));

#endif

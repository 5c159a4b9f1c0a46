/* SPDX-License-Identifier: Apache-2.0 */
/* arch/aarch64/scenarios/signed_pointers.c
 * Return addresses that were signed with the process's keys before are still good afterwards.
 */
#include "scenario.h"
#include <sys/auxv.h>

#pragma GCC target("arch=armv8.3-a")

#define SIGNED_AND_BACK(sign, verify) \
	__attribute__((noinline)) static void sign##_then_##verify(void) \
	{ \
		uint64_t plain = (uintptr_t)&scenario_generation, other = 0x1234, value = plain; \
		uint64_t signed_before; \
\
		asm volatile(#sign " %0, %1" : "+r"(value) : "r"(other)); \
		signed_before = value; \
		checkpoint_here(); \
		asm volatile(#verify " %0, %1" : "+r"(value) : "r"(other)); \
		check(value == plain); \
		asm volatile(#sign " %0, %1" : "+r"(value) : "r"(other)); \
		check(value == signed_before); \
	}

SIGNED_AND_BACK(pacia, autia)
SIGNED_AND_BACK(pacib, autib)
SIGNED_AND_BACK(pacda, autda)
SIGNED_AND_BACK(pacdb, autdb)

static uint64_t generic(uint64_t value)
{
	uint64_t code;

	asm volatile("pacga %0, %1, %2" : "=r"(code) : "r"(value), "r"(5ul));
	return code;
}

int main(void)
{
	uint64_t code;

	if (!(getauxval(AT_HWCAP) & HWCAP_PACA))
		cannot_run_here("this processor does not sign pointers");
	code = generic(77);
	pacia_then_autia();
	pacib_then_autib();
	pacda_then_autda();
	pacdb_then_autdb();
	check(generic(77) == code && generic(78) != code);
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0
 * Entering the kernel on x86_64: number in rax, arguments in rdi rsi rdx r10 r8 r9.
 */
#ifndef CR_ARCH_SYSCALL_H
#define CR_ARCH_SYSCALL_H

/* One system call as the kernel answers it (-errno), without the C library's errno. */
static inline long cr_raw_call(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
		: "=a"(result)
		: "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
		: "rcx", "r11", "memory");
	return result;
}

#endif

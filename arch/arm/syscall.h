/* SPDX-License-Identifier: Apache-2.0
 * Entering the kernel on 32-bit ARM (EABI): number in r7, arguments in r0…r5.
 */
#ifndef CR_ARCH_SYSCALL_H
#define CR_ARCH_SYSCALL_H

/* One system call as the kernel answers it (-errno), without the C library's errno. */
static inline long cr_raw_call(long number, long a, long b, long c, long d, long e, long f)
{
	register long r0 __asm__("r0") = a;
	register long r1 __asm__("r1") = b;
	register long r2 __asm__("r2") = c;
	register long r3 __asm__("r3") = d;
	register long r4 __asm__("r4") = e;
	register long r5 __asm__("r5") = f;

	/* In Thumb code r7 is the frame pointer, so it is put aside by hand. */
	__asm__ volatile(
		"mov ip, r7\n\tmov r7, %[number]\n\tsvc #0\n\tmov r7, ip"
		: "+r"(r0)
		: [number] "r"(number), "r"(r1), "r"(r2), "r"(r3), "r"(r4), "r"(r5)
		: "ip", "memory");
	return r0;
}

#endif

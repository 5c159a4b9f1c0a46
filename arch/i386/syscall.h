/* SPDX-License-Identifier: Apache-2.0
 * Entering the kernel on i386: number in eax, arguments in ebx ecx edx esi edi ebp.
 */
#ifndef CR_ARCH_SYSCALL_H
#define CR_ARCH_SYSCALL_H

/* One system call as the kernel answers it (-errno), without the C library's errno. */
static inline long cr_raw_call(long number, long a, long b, long c, long d, long e, long f)
{
	/* ebx and ebp may be the compiler's own (PIC, frame pointer), so they are put aside by hand;
	 * a and f travel through memory. */
	long both[2] = { a, f };
	long result = number;

	__asm__ volatile(
		"pushl %%ebx\n\tpushl %%ebp\n\t"
		"movl 4(%%ebx), %%ebp\n\tmovl (%%ebx), %%ebx\n\t"
		"int $0x80\n\t"
		"popl %%ebp\n\tpopl %%ebx"
		: "+a"(result)
		: "b"(both), "c"(b), "d"(c), "S"(d), "D"(e)
		: "memory");
	return result;
}

#endif

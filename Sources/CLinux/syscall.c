/* SPDX-License-Identifier: Apache-2.0 */
#include "CLinux.h"

long cr_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	long result = syscall(number, a, b, c, d, e, f);
	return result == -1 ? -errno : result;
}

const char *cr_errno_text(int number)
{
	const char *text = strerrordesc_np(number);
	return text ? text : "Unknown error";
}

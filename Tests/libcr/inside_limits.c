/* SPDX-License-Identifier: Apache-2.0
 * What is refused because there is too much of it. Some counts are set from inside: to get there would take minutes.
 */
#include <limits.h>
#include <sys/resource.h>
#include "cr.h"
#include "harness.h"

static int nothing(void *unused)
{
	(void)unused;
	return 0;
}

int main(void)
{
	struct rlimit little = { 64 << 20, 64 << 20 };
	unsigned count = 0;

	for (unsigned client = 0; client < CRI_CLIENTS; client++)
		check(cr_init() == (int)client);
	check_fails(cr_init(), ENOSPC);
	check(cr_enter_cs(CRI_CLIENTS - 1) == 0 && cr_leave_cs(CRI_CLIENTS - 1) == 0);

	cri_self.persist = INT_MAX;
	check_fails(cr_inc_persist(), ERANGE);
	check(cr_dec_persist() == INT_MAX && cr_inc_persist() == INT_MAX - 1);
	cri_self.persist = 0;
	check_fails(cr_dec_persist(), ERANGE);

	check(cr_register_callback(nothing, NULL, CR_SIGNAL_CONTEXT) == (0 | CR_SIGNAL_CONTEXT));
	cri_self.callbacks.count = CR_MAX_CALLBACKS;
	check_fails(cr_register_callback(nothing, NULL, CR_SIGNAL_CONTEXT), ENOSPC);
	cri_self.callbacks.count = 1;

	/* Until there is no memory for more; those that are there stay. */
	check(!setrlimit(RLIMIT_AS, &little));
	errno = 0;
	while (cr_register_callback(nothing, NULL, CR_SIGNAL_CONTEXT) >= 0)
		count++;
	check(errno == ENOMEM && count > 1000 && cri_self.callbacks.count == count + 1);
	check(cr_replace_callback((int)count | CR_SIGNAL_CONTEXT, NULL, NULL, CR_SIGNAL_CONTEXT) == 0);
	/* A thread for callbacks of the other context wants a stack. */
	little.rlim_cur = 1 << 20;
	check(!setrlimit(RLIMIT_AS, &little));
	check_fails(cr_register_callback(nothing, NULL, CR_THREAD_CONTEXT), ENOMEM);
	return 0;
}

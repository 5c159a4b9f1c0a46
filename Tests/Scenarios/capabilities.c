/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/capabilities.c
 * The sets of a process that keeps one privilege only, its bounding set and its secure bits.
 * runner: root
 */
#include "scenario.h"
#include <linux/capability.h>
#include <linux/securebits.h>

static void get(struct __user_cap_data_struct data[2])
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };

	check(syscall(SYS_capget, &header, data) == 0);
}

int main(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct before[2] = { 0 }, after[2];

	check(prctl(PR_CAPBSET_DROP, CAP_SYS_TIME) == 0);
	check(prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP) == 0);
	check(prctl(PR_SET_KEEPCAPS, 1) == 0);
	before[0].permitted = 1u << CAP_KILL | 1u << CAP_CHOWN;
	before[0].inheritable = 1u << CAP_KILL;
	before[0].effective = 1u << CAP_CHOWN;
	check(syscall(SYS_capset, &header, before) == 0);
	check(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0) == 0);
	checkpoint_here();
	get(after);
	check(after[0].permitted == before[0].permitted);
	check(after[0].effective == before[0].effective);
	check(after[0].inheritable == before[0].inheritable);
	check(after[1].permitted == 0 && after[1].effective == 0);
	check(prctl(PR_CAPBSET_READ, CAP_SYS_TIME) == 0);
	check(prctl(PR_CAPBSET_READ, CAP_KILL) == 1);
	check(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_KILL, 0, 0) == 1);
	check(prctl(PR_GET_SECUREBITS) == (SECBIT_NO_SETUID_FIXUP | SECBIT_KEEP_CAPS));
	return passed();
}

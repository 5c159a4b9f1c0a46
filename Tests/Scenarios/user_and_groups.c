/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/user_and_groups.c
 * Real, effective and saved ids and the supplementary groups, of a process that has dropped root.
 * runner: root
 */
#include "scenario.h"
#include <grp.h>
#include <sys/fsuid.h>

int main(void)
{
	static const gid_t groups[] = { 7, 4000, 70000 };
	gid_t present[10], real_group, group, saved_group;
	uid_t real, effective, saved;
	char path[PATH_MAX];

	path_in_scenario(path, "");
	check(chmod(path, 0777) == 0);
	check(setgroups(3, groups) == 0);
	check(setresgid(1201, 1202, 1203) == 0);
	check(setresuid(1101, 1102, 1103) == 0);
	checkpoint_here();
	check(getresuid(&real, &effective, &saved) == 0);
	check(real == 1101 && effective == 1102 && saved == 1103);
	check(getresgid(&real_group, &group, &saved_group) == 0);
	check(real_group == 1201 && group == 1202 && saved_group == 1203);
	check(getgroups(10, present) == 3 && memcmp(present, groups, sizeof groups) == 0);
	check(setfsuid(-1) == 1102 && setfsgid(-1) == 1202);
	check(setresuid(0, 0, 0) == -1 && errno == EPERM);
	return passed();
}

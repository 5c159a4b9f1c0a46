/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/credentials_of_threads.c
 * The kernel keeps credentials for each thread; a raw setresuid(2) makes one thread another user.
 * runner: root
 */
#include "scenario.h"
#include <pthread.h>

static void *thread(void *unused)
{
	uid_t real, effective, saved;

	check(syscall(SYS_setresuid, 1301, 1301, 1301) == 0);
	tell("thread");
	wait_for_go(0);
	check(syscall(SYS_getresuid, &real, &effective, &saved) == 0);
	check(real == 1301 && effective == 1301 && saved == 1301);
	return unused;
}

int main(void)
{
	char path[PATH_MAX];
	pthread_t other;

	path_in_scenario(path, "");
	check(chmod(path, 0777) == 0);
	check(pthread_create(&other, NULL, thread, NULL) == 0);
	await("thread");
	checkpoint_here();
	check(getuid() == 0 && geteuid() == 0);
	check(pthread_join(other, NULL) == 0);
	return passed();
}

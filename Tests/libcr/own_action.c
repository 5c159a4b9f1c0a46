/* SPDX-License-Identifier: Apache-2.0
 * A program with an action of its own for CR_SIGNUM (argv[1]: default, ignore, own, blocked), whose
 * callbacks (argv[2]: thread, signal, both) or critical section (section) last until the file `go`
 * is there. It gets its action back whatever becomes of the checkpoint, and `now` says when.
 */
#include <signal.h>
#include "harness.h"

static void own(int number)
{
	(void)number;
	printf("own handler\n");
	fflush(stdout);
}

static void await_go(void)
{
	for (int turn = 0; access("go", F_OK) && turn < 2000; turn++)
		usleep(5000);
}

static int respond(void *name)
{
	printf("%s begins\n", (char *)name);
	fflush(stdout);
	await_go();
	printf("%s ends %d\n", (char *)name, cr_checkpoint(CR_CHECKPOINT_READY));
	fflush(stdout);
	return 0;
}

static int has_own_action(void (*wanted)(int))
{
	struct sigaction action;

	check(!sigaction(CR_SIGNUM, NULL, &action));
	return !(action.sa_flags & SA_SIGINFO) && action.sa_handler == wanted;
}

int main(int argc, char **argv)
{
	void (*wanted)(int) = SIG_DFL;
	cr_client_id_t id = cr_init();
	sigset_t set;
	int is_blocked, had = 1;

	check(argc == 3 && id >= 0);
	is_blocked = !strcmp(argv[1], "blocked");
	if (!strcmp(argv[1], "ignore"))
		wanted = SIG_IGN;
	if (!strcmp(argv[1], "own") || is_blocked)
		wanted = own;
	signal(CR_SIGNUM, wanted);
	sigemptyset(&set);
	sigaddset(&set, CR_SIGNUM);
	if (is_blocked)
		check(!sigprocmask(SIG_BLOCK, &set, NULL));
	if (!strcmp(argv[2], "thread") || !strcmp(argv[2], "both"))
		check(cr_register_callback(respond, "thread", CR_THREAD_CONTEXT) >= 0);
	if (!strcmp(argv[2], "signal") || !strcmp(argv[2], "both"))
		check(cr_register_callback(respond, "signal", CR_SIGNAL_CONTEXT) >= 0);
	if (!strcmp(argv[2], "section"))
		check(!cr_enter_cs(id));
	printf("main waits\n");
	fflush(stdout);
	if (!strcmp(argv[2], "section")) {
		await_go();
		check(!cr_leave_cs(id));
	}
	while (access("end", F_OK)) {
		int has = has_own_action(wanted);

		if (has != had) {
			printf(has ? "own action\n" : "other action\n");
			fflush(stdout);
		}
		had = has;
		usleep(2000);
	}
	/* The last thread to leave its callbacks may be at it. */
	for (int turn = 0; !has_own_action(wanted) && turn < 1000; turn++)
		usleep(2000);
	check(has_own_action(wanted));
	check(!sigprocmask(SIG_BLOCK, NULL, &set));
	check(sigismember(&set, CR_SIGNUM) == is_blocked);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 * Two callbacks of thread context and one of signal context, which write down what they see.
 * argv[1]: what the first one gives to cr_checkpoint(). Ends by itself after a restart or a while.
 */
#include "harness.h"

static int flags;

static void say(const char *who, const char *what, int result)
{
	printf("%s %s %d\n", who, what, result);
	fflush(stdout);
}

static int respond(void *name)
{
	int result;

	check(cr_status() == CR_STATE_ACTIVE);
	check(cr_get_checkpoint_info() && !cr_get_restart_info());
	check(cr_enter_cs(CR_ID_CALLBACK) == 0 && cr_leave_cs(CR_ID_CALLBACK) == 0);
	check_fails(cr_register_callback(respond, name, CR_THREAD_CONTEXT), EBUSY);
	say(name, "begins", 0);
	result = cr_checkpoint(flags);
	say(name, "ends", result);
	check((result > 0) == (cr_get_restart_info() != NULL));
	return 0;
}

static void hook(cr_hook_event_t event)
{
	say("hook", "runs", event);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		flags = (int)strtol(argv[1], NULL, 0);
	check(cr_init() >= 0);
	check(cr_register_callback(respond, "thread", CR_THREAD_CONTEXT) >= 0);
	check(cr_register_callback(respond, "signal", CR_SIGNAL_CONTEXT) >= 0);
	for (int event = 0; event < CR_NUM_HOOKS; event++)
		check(cr_register_hook(event, hook) == NULL);
	say("main", "waits", 0);
	for (int turn = 0; turn < 150; turn++)
		usleep(20000);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 * A program that uses the library, and waits with (argv[1]): nothing; a section that it is in; a callback; a hook.
 * Sections come and go in all of them. Ends well when there is a file `end`.
 */
#include "harness.h"

static int respond(void *unused)
{
	(void)unused;
	return 0;
}

static void hook(cr_hook_event_t event)
{
	(void)event;
}

int main(int argc, char **argv)
{
	cr_client_id_t id = cr_init(), other = cr_init();
	char *memory = malloc(100000);

	check(argc == 2 && id >= 0 && other >= 0 && memory);
	memset(memory, 7, 100000);
	if (!strcmp(argv[1], "section"))
		check(cr_enter_cs(id) == 0);
	else if (!strcmp(argv[1], "callback"))
		check(cr_register_callback(respond, NULL, CR_SIGNAL_CONTEXT) >= 0);
	else if (!strcmp(argv[1], "hook"))
		check(cr_register_hook(CR_HOOK_CONT_NO_CALLBACKS, hook) == NULL);
	else
		check(!strcmp(argv[1], "nothing"));
	check(cr_enter_cs(other) == 0 && cr_leave_cs(other) == 0);
	printf("main waits\n");
	fflush(stdout);
	while (access("end", F_OK))
		usleep(5000);
	for (int i = 0; i < 100000; i++)
		check(memory[i] == 7);
	free(memory);
	check(cr_enter_cs(other) == 0 && cr_leave_cs(other) == 0 && cr_status() == CR_STATE_IDLE);
	printf("right\n");
	return 0;
}

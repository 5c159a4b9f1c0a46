/* SPDX-License-Identifier: Apache-2.0
 * A callback that takes process argv[1] into the checkpoint, or is refused with the errno argv[2].
 */
#include "harness.h"

static int expected;

static int respond(void *other)
{
	int result;

	if (expected)
		check_fails(cr_forward_checkpoint(CR_SCOPE_PROC, atoi(other)), expected);
	else
		check(!cr_forward_checkpoint(CR_SCOPE_PROC, atoi(other)));
	result = cr_checkpoint(CR_CHECKPOINT_READY);
	printf("ends %d\n", result);
	fflush(stdout);
	return 0;
}

int main(int argc, char **argv)
{
	check(argc >= 2 && cr_init() >= 0);
	expected = argc > 2 ? atoi(argv[2]) : 0;
	check(cr_register_callback(respond, argv[1], CR_THREAD_CONTEXT) >= 0);
	printf("main waits\n");
	fflush(stdout);
	while (access("end", F_OK))
		usleep(5000);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A callback of thread context: it runs in a thread of the library's own, so it may call anything. */
#include <libcr.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static FILE *journal;

static int on_checkpoint(void *name)
{
	int result;

	/* Before: everything still runs. */
	fclose(journal);
	result = cr_checkpoint(CR_CHECKPOINT_READY); /* the program is saved inside this call */
	/* After: going on, restarted perhaps on another machine, or it failed. */
	journal = fopen(name, "a");
	if (!journal)
		return -1; /* only now: this ends the program */
	if (result > 0)
		fprintf(journal, "restarted from %s\n", cr_get_restart_info()->src);
	else if (result == 0)
		fprintf(journal, "saved to %s\n", cr_get_checkpoint_info()->dest);
	else
		fprintf(journal, "not saved: %s\n", cr_strerror(-result));
	fflush(journal);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 2 || cr_init() < 0)
		return 1;
	journal = fopen(argv[1], "a");
	if (!journal || cr_register_callback(on_checkpoint, argv[1], CR_THREAD_CONTEXT) < 0)
		return 1;
	printf("ready\n");
	fflush(stdout);
	while (access("stop", F_OK)) /* the work */
		usleep(10000);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Some things cannot be done twice. While one of them is under way this program refuses, with a number
 * of its own that whoever asks gets as the exit status of cr_checkpoint, or as errno. */
#include <libcr.h>
#include <stdio.h>
#include <unistd.h>

enum { PAYMENT_UNDER_WAY = 97 };

static volatile int is_paying;

static int on_checkpoint(void *unused)
{
	(void)unused;
	/* A critical section would have made it wait; this tells at once, and lets others decide. */
	if (is_paying)
		cr_checkpoint(CR_CHECKPOINT_TEMP_FAILURE_CODE(PAYMENT_UNDER_WAY));
	else
		cr_checkpoint(CR_CHECKPOINT_READY);
	return 0;
}

int main(void)
{
	if (cr_init() < 0 || cr_register_callback(on_checkpoint, NULL, CR_THREAD_CONTEXT) < 0)
		return 1;
	while (access("stop", F_OK)) {
		int wants = !access("pay", F_OK);

		if (wants != is_paying) {
			is_paying = wants;
			printf("%s\n", wants ? "paying" : "paid");
			fflush(stdout);
		}
		usleep(10000);
	}
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A callback of signal context: it runs in the thread that registered it, in the midst of whatever
 * that does, so it may do what a signal handler may. This one throws a cache away, which makes the
 * context file smaller. */
#include <libcr.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SIZE (64 << 20)

static char *cache;
static volatile sig_atomic_t is_filled;

static int on_checkpoint(void *unused)
{
	(void)unused;
	is_filled = 0;
	madvise(cache, SIZE, MADV_DONTNEED);
	if (cr_checkpoint(CR_CHECKPOINT_READY) > 0)
		write(1, "restarted\n", 10); /* printf() is not for handlers */
	return 0;
}

int main(void)
{
	cache = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (cache == MAP_FAILED || cr_init() < 0)
		return 1;
	if (cr_register_callback(on_checkpoint, NULL, CR_SIGNAL_CONTEXT) < 0)
		return 1;
	while (access("stop", F_OK)) {
		if (!is_filled) {
			is_filled = 1; /* first, so that a checkpoint during the next line is heard */
			memset(cache, 1, SIZE);
			write(1, "filled\n", 7);
		}
		usleep(10000);
	}
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Two files that belong together: a checkpoint between the two writes would save one of them old and
 * one new, so there is none. It waits for the end of the section, not longer. */
#include <fcntl.h>
#include <libcr.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int set(const char *file, long value)
{
	char line[32];
	int fd = open(file, O_WRONLY | O_CREAT, 0644), length;

	if (fd < 0)
		return -1;
	length = snprintf(line, sizeof line, "%20ld\n", value);
	if (pwrite(fd, line, (size_t)length, 0) != length)
		length = -1;
	close(fd);
	return length;
}

int main(void)
{
	cr_client_id_t id = cr_init();
	long left = 0, right = 0;

	if (id < 0)
		return 1;
	while (access("stop", F_OK)) {
		cr_enter_cs(id);
		left -= 1;
		if (set("left", left) < 0)
			return 1;
		usleep(5000); /* a slow disk */
		right += 1;
		if (set("right", right) < 0)
			return 1;
		/* The last way out: a checkpoint that waited happens before this returns. */
		cr_leave_cs(id);
	}
	printf("%ld\n", left + right);
	return 0;
}

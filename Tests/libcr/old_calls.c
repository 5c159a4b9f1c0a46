/* SPDX-License-Identifier: Apache-2.0
 * The deprecated requests, argv[1]: cr_request() (cwd), cr_request_file() (file) or cr_request_fd()
 * (fd, or other for a thread that never called cr_init()), three times; each waits for a file next.N.
 * Says how it goes on, and finds the context file whole that it has open.
 */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "harness.h"

static const char *way;
static volatile int result;
static int fd = -1;

static int respond(void *unused)
{
	(void)unused;
	result = cr_checkpoint(CR_CHECKPOINT_READY);
	return 0;
}

static void *request_fd(void *unused)
{
	check(!lseek(fd, 0, SEEK_SET));
	cr_request_fd(fd);
	return unused;
}

static void request(void)
{
	pthread_t thread;

	if (!strcmp(way, "cwd")) {
		cr_request();
	} else if (!strcmp(way, "file")) {
		cr_request_file("ctx");
	} else if (!strcmp(way, "fd")) {
		request_fd(NULL);
	} else {
		check(!pthread_create(&thread, NULL, request_fd, NULL) && !pthread_join(thread, NULL));
	}
}

int main(int argc, char **argv)
{
	struct stat status;
	char name[32];
	int free_number;

	check(argc == 2 && cr_init() >= 0);
	way = argv[1];
	check(cr_register_callback(respond, NULL, CR_THREAD_CONTEXT) >= 0);
	/* Nothing is said of failures, and nothing happens. */
	cr_request_fd(-1);
	cr_request_fd(0); /* for reading only */
	cr_request_file("/nowhere/ctx");
	if (!strcmp(way, "fd") || !strcmp(way, "other"))
		check((fd = open("ctx", O_RDWR | O_CREAT, 0600)) >= 0);
	free_number = dup(0);
	close(free_number);
	printf("main waits\n");
	fflush(stdout);
	for (int turn = 1; turn <= 3; turn++) {
		snprintf(name, sizeof name, "next.%d", turn);
		while (access(name, F_OK))
			usleep(5000);
		result = -1;
		request();
		check(result >= 0);
		printf("%s %d\n", result ? "runs again" : "goes on", turn);
		fflush(stdout);
		if (fd >= 0)
			check(!fstat(fd, &status) && status.st_size > 4096);
		check(dup(0) == free_number && !close(free_number));
		check_fails(waitpid(-1, NULL, WNOHANG | __WALL), ECHILD);
	}
	while (access("end", F_OK))
		usleep(5000);
	return 0;
}

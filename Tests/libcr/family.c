/* SPDX-License-Identifier: Apache-2.0
 * A parent and two children with callbacks, which give argv[1] to cr_checkpoint(). argv[2]: forward:
 * the parent's callback takes the children into a checkpoint of it alone.
 */
#include <sys/wait.h>
#include "harness.h"

static int flags, forwards;
static const char *name = "parent";
static pid_t children[2];

static void say(const char *what, int result)
{
	printf("%s %s %d\n", name, what, result);
	fflush(stdout);
}

static int respond(void *unused)
{
	const struct cr_checkpoint_info *info = cr_get_checkpoint_info();
	int result;

	(void)unused;
	check(info && info->target > 0 && info->requester > 0);
	say("begins", (int)info->scope);
	if (forwards && children[0]) {
		check_fails(cr_forward_checkpoint(7, children[0]), EINVAL);
		check_fails(cr_forward_checkpoint(CR_SCOPE_PROC, 4194303), ESRCH);
		check(cr_forward_checkpoint(CR_SCOPE_PROC, children[0]) == 0);
		check(cr_forward_checkpoint(CR_SCOPE_PROC, children[0]) == 0); /* once is enough */
		check(cr_forward_checkpoint(CR_SCOPE_TREE, getpid()) == 0);
	}
	result = cr_checkpoint(flags);
	check_fails(cr_forward_checkpoint(CR_SCOPE_PROC, getpid()), CR_ENOTCB);
	say("ends", result);
	return 0;
}

static void prepare(void)
{
	check(cr_init() >= 0);
	check(cr_register_callback(respond, NULL, CR_THREAD_CONTEXT) >= 0);
}

static void live(void)
{
	while (access("end", F_OK))
		usleep(5000);
}

int main(int argc, char **argv)
{
	int pipes[2], status;
	char byte;

	if (argc > 1)
		flags = atoi(argv[1]);
	forwards = argc > 2;
	check(!pipe(pipes));
	for (int child = 0; child < 2; child++) {
		children[child] = fork();
		if (!children[child]) {
			children[0] = children[1] = 0;
			name = child ? "second" : "first";
			prepare();
			check(write(pipes[1], "x", 1) == 1);
			close(pipes[0]);
			close(pipes[1]);
			live();
			exit(0);
		}
	}
	check(read(pipes[0], &byte, 1) == 1 && read(pipes[0], &byte, 1) == 1);
	close(pipes[0]);
	close(pipes[1]);
	prepare();
	say("main waits", 0);
	live();
	for (int child = 0; child < 2; child++)
		check(waitpid(children[child], &status, 0) == children[child] && status == 0);
	return 0;
}

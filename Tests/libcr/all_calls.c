/* SPDX-License-Identifier: Apache-2.0
 * Every call that a program with callbacks can make, in each checkpoint and each generation: in callbacks of
 * both contexts, in hooks, and in threads around them. Says `turn N result R`, where R is what
 * cr_checkpoint() returned in all callbacks. A file `ask` has it request its own checkpoint into `own`, in
 * the way that argv[1] names: reap, poll or msg. Ends when there is a file `end`.
 */
#include <fcntl.h>
#include <pthread.h>
#include "harness.h"

enum { CALLBACKS = 4 };

static volatile int results[CALLBACKS], turns[CALLBACKS];
static volatile int hooks[CR_NUM_HOOKS], counted;
static volatile int requester, scope;
static cr_callback_id_t ids[CALLBACKS];
static cr_spinlock_t lock = CR_SPINLOCK_INITIALIZER;
static const char *way;
static pid_t self;

static int again(void *which);

static void hook(cr_hook_event_t event)
{
	cr_spinlock_lock(&lock);
	hooks[event]++;
	cr_spinlock_unlock(&lock);
}

/* What is refused or means nothing in a callback. */
static void check_inside(int context)
{
	check(cr_status() == CR_STATE_ACTIVE);
	check(cr_enter_cs(CR_ID_CALLBACK) == 0 && cr_tryenter_cs(CR_ID_CALLBACK) == 0);
	check(cr_leave_cs(CR_ID_CALLBACK) == 0 && cr_leave_cs(CR_ID_CALLBACK) == 0);
	check_fails(cr_register_callback(again, NULL, context), EBUSY);
	check_fails(cr_replace_callback(ids[0], again, NULL, context), EBUSY);
	check(cr_hold_ctrl(CR_HOLD_SCOPE_THREAD, CR_HOLD_READ) >= CR_HOLD_NONE);
	check(cr_hold_ctrl(CR_HOLD_SCOPE_INIT, CR_HOLD_READ) == CR_HOLD_BOTH);
	cr_spinlock_lock(&lock);
	counted++;
	cr_spinlock_unlock(&lock);
}

static int run(long which, cr_callback_t next)
{
	int context = which < 2 ? CR_THREAD_CONTEXT : CR_SIGNAL_CONTEXT;
	const struct cr_checkpoint_info *info = cr_get_checkpoint_info();
	const struct cr_restart_info *restart;
	int result;

	check_inside(context);
	check(info && info->target == self && info->requester > 0 && info->signal == 0);
	check(info->scope == CR_SCOPE_PROC && info->dest);
	check(!cr_get_restart_info());
	/* Once is enough, and we are in it. */
	check(cr_forward_checkpoint(CR_SCOPE_PROC, 0) == 0);
	check(cr_forward_checkpoint(CR_SCOPE_PROC, self) == 0);
	check_fails(cr_forward_checkpoint(CR_SCOPE_TREE + 1, self), EINVAL);
	check_fails(cr_forward_checkpoint(CR_SCOPE_PROC, -1), EINVAL);
	/* For the next checkpoint; not for one of the other context. */
	check_fails(cr_replace_self(next, (void *)which, context ^ (CR_THREAD_CONTEXT | CR_SIGNAL_CONTEXT)),
		EINVAL);
	check(cr_replace_self(next, (void *)which, context) == 0);
	check(cr_checkpoint(0x700) == -EINVAL);
	requester = info->requester;
	result = cr_checkpoint(CR_CHECKPOINT_READY);
	check(cr_checkpoint(CR_CHECKPOINT_READY) == -EINVAL);
	check_fails(cr_forward_checkpoint(CR_SCOPE_PROC, self), CR_ENOTCB);
	check_inside(context);
	restart = cr_get_restart_info();
	check((result > 0) == (restart != NULL));
	check(!restart || (restart->requester > 0 && restart->src[0] == '/'));
	check(cr_get_checkpoint_info() == info && getpid() == self);
	results[which] = result;
	turns[which]++;
	return 0;
}

static int again(void *which)
{
	return run((long)which, again);
}

static int first(void *which)
{
	check(turns[(long)which] == 0);
	return run((long)which, again);
}

/* Does nothing, and is in nobody's way; its place is given to the fourth. */
static int never(void *unused)
{
	(void)unused;
	check(!"called");
	return 0;
}

static int request_own(void)
{
	cr_checkpoint_args_t args;
	cr_checkpoint_handle_t handle;
	struct timeval patience = { 0, 100000 };
	char text[4096], *message = NULL;
	int result, error;

	check(cr_initialize_checkpoint_args_t(&args) == 0);
	args.cr_scope = CR_SCOPE_PROC;
	args.cr_fd = open("own", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	check(args.cr_fd >= 0 && cr_request_checkpoint(&args, &handle) == 0);
	if (!strcmp(way, "reap")) {
		result = cr_reap_checkpoint(&handle);
		check(result > 0 || errno == EAGAIN || errno == CR_ERESTARTED);
		if (result > 0 || errno != EAGAIN)
			return close(args.cr_fd), result > 0 ? 0 : 1;
		while ((result = cr_wait_checkpoint(&handle, &patience)) <= 0)
			check(result == 0 || errno == EINTR);
		result = cr_log_checkpoint(&handle, sizeof text, text);
		check(result == 0 || strlen(text) + 1 == (size_t)result);
		result = cr_reap_checkpoint(&handle);
		check(result > 0 || result == -1);
	} else {
		do {
			result = !strcmp(way, "msg") ? cr_poll_checkpoint_msg(&handle, &patience, &message)
				: cr_poll_checkpoint(&handle, &patience);
		} while (result == 0 || (result == CR_POLL_CHKPT_ERR_PRE && errno == EINTR));
		check(result > 0 || result == CR_POLL_CHKPT_ERR_POST);
	}
	error = errno;
	if (result < 0 && error != CR_ERESTARTED)
		fprintf(stderr, "%s %s\n", cr_strerror(error), message ? message : "");
	check(result > 0 || error == CR_ERESTARTED);
	check_fails(cr_reap_checkpoint(&handle), EINVAL);
	free(message);
	close(args.cr_fd);
	return result > 0 ? 0 : 1;
}

static void check_turn(int turn, int asked)
{
	static int before[CR_NUM_HOOKS];
	int result = results[0], base = result > 0 ? CR_HOOK_RSTRT_SIGNAL_CONTEXT : 0;

	for (int which = 0; which < CALLBACKS; which++)
		check(results[which] == result && turns[which] == turn);
	check(asked < 0 || asked == result);
	check(counted == 2 * CALLBACKS * turn);
	/* One thread with signal-context callbacks, that of the thread context, and another one without. */
	for (int event = 0; event < CR_NUM_HOOKS; event++) {
		check(hooks[event] - before[event] == (event >= base && event < base + 3));
		before[event] = hooks[event];
	}
	check(cr_status() == CR_STATE_IDLE);
	check(asked < 0 || requester == self);
	printf("turn %d result %d\n", turn, result);
	fflush(stdout);
}

static int all_have(int turn)
{
	for (int which = 0; which < CALLBACKS; which++)
		if (turns[which] < turn)
			return 0;
	return hooks[0] + hooks[3] == turn && hooks[1] + hooks[4] == turn && hooks[2] + hooks[5] == turn;
}

/* One more thread, with nothing but cr_init() and sections. */
static void *work(void *unused)
{
	cr_client_id_t id = cr_init();

	check(id >= 0 && cr_inc_persist() == 0);
	check(cr_hold_ctrl(CR_HOLD_SCOPE_THREAD, CR_HOLD_BOTH) == CR_HOLD_DFLT);
	for (;;) {
		check(cr_enter_cs(id) == 0);
		check(cr_status() != CR_STATE_ACTIVE);
		check(cr_leave_cs(id) == 0);
		usleep(500);
	}
	return unused;
}

int main(int argc, char **argv)
{
	cr_client_id_t id = cr_init(), other = cr_init();
	pthread_t thread;
	int turn = 1, asked = -1;

	check(argc == 2 && id >= 0 && other >= 0 && other != id);
	way = argv[1];
	self = getpid();
	for (long which = 0; which < CALLBACKS; which++)
		check((ids[which] = cr_register_callback(which == 3 ? never : first, (void *)which,
			which < 2 ? CR_THREAD_CONTEXT : CR_SIGNAL_CONTEXT)) >= 0);
	check(cr_replace_callback(ids[3], NULL, NULL, CR_SIGNAL_CONTEXT) == 0);
	check(cr_replace_callback(ids[3], first, (void *)3, CR_SIGNAL_CONTEXT) == 0);
	for (int event = 0; event < CR_NUM_HOOKS; event++)
		check(cr_register_hook(event, hook) == NULL);
	check(!pthread_create(&thread, NULL, work, NULL));
	check(cr_inc_persist() == 0 && cr_dec_persist() == 1);
	printf("main waits\n");
	fflush(stdout);
	while (access("end", F_OK)) {
		if (!access("ask", F_OK)) {
			check(!unlink("ask"));
			asked = request_own();
		}
		/* Callbacks of ours are called at any moment, but not here. */
		check(cr_enter_cs(id) == 0 && cr_tryenter_cs(other) == 0);
		check(cr_leave_cs(id) == 0 && cr_leave_cs(other) == 0);
		/* The other callbacks may be still on their way when ours are over. */
		if (all_have(turn)) {
			check_turn(turn++, asked);
			asked = -1;
		}
		usleep(2000);
	}
	printf("right\n");
	return 0;
}

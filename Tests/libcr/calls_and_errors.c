/* SPDX-License-Identifier: Apache-2.0
 * Every documented error that needs no checkpoint, and what a fork leaves behind.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include "harness.h"

static int nothing(void *unused)
{
	(void)unused;
	return 0;
}

static void hook(cr_hook_event_t event)
{
	(void)event;
}

static void before_init(void)
{
	check_fails(cr_status(), CR_ENOINIT);
	check_fails(cr_inc_persist(), CR_ENOINIT);
	check_fails(cr_dec_persist(), CR_ENOINIT);
	check_fails(cr_enter_cs(0), CR_ENOINIT);
	check_fails(cr_tryenter_cs(0), CR_ENOINIT);
	check_fails(cr_leave_cs(0), CR_ENOINIT);
	check_fails(cr_hold_ctrl(CR_HOLD_SCOPE_THREAD, CR_HOLD_READ), CR_ENOINIT);
	check_fails(cr_register_callback(nothing, NULL, CR_SIGNAL_CONTEXT), CR_ENOINIT);
	check_fails(cr_replace_callback(0, nothing, NULL, CR_SIGNAL_CONTEXT), CR_ENOINIT);
	check(cr_register_hook(CR_HOOK_CONT_NO_CALLBACKS, hook) == CR_HOOK_FN_ERROR);
	check(errno == CR_ENOINIT);
}

static void outside_callbacks(void)
{
	check(cr_checkpoint(CR_CHECKPOINT_READY) == -CR_ENOTCB);
	check_fails(cr_replace_self(nothing, NULL, CR_SIGNAL_CONTEXT), CR_ENOTCB);
	check_fails(cr_forward_checkpoint(CR_SCOPE_PROC, 1), CR_ENOTCB);
	check(!cr_get_checkpoint_info());
	check(!cr_get_restart_info());
}

static void callbacks(void)
{
	int id;

	check_fails(cr_register_callback(NULL, NULL, CR_SIGNAL_CONTEXT), EINVAL);
	check_fails(cr_register_callback(nothing, NULL, 0), EINVAL);
	check_fails(cr_register_callback(nothing, NULL, CR_SIGNAL_CONTEXT | CR_THREAD_CONTEXT), EINVAL);
	id = cr_register_callback(nothing, NULL, CR_SIGNAL_CONTEXT);
	check(id == (0 | CR_SIGNAL_CONTEXT));
	check_fails(cr_replace_callback(id, nothing, NULL, CR_THREAD_CONTEXT), EINVAL);
	check_fails(cr_replace_callback(id + 1, nothing, NULL, CR_SIGNAL_CONTEXT), EINVAL);
	check(cr_replace_callback(id, NULL, NULL, CR_SIGNAL_CONTEXT) == 0);
	check(cr_register_callback(nothing, NULL, CR_SIGNAL_CONTEXT) == (1 | CR_SIGNAL_CONTEXT));
}

static void settings(void)
{
	check(cr_hold_ctrl(CR_HOLD_SCOPE_THREAD, CR_HOLD_READ) == CR_HOLD_DFLT);
	check(cr_hold_ctrl(CR_HOLD_SCOPE_INIT, CR_HOLD_NONE) == CR_HOLD_BOTH);
	check(cr_hold_ctrl(CR_HOLD_SCOPE_INIT, CR_HOLD_BOTH) == CR_HOLD_NONE);
	check(cr_hold_ctrl(CR_HOLD_SCOPE_UNINIT, CR_HOLD_CONT) == CR_HOLD_BOTH);
	check_fails(cr_hold_ctrl(CR_HOLD_SCOPE_UNINIT, CR_HOLD_DFLT), EINVAL);
	check_fails(cr_hold_ctrl(3, CR_HOLD_READ), EINVAL);
	check(cr_register_hook(CR_HOOK_CONT_NO_CALLBACKS, hook) == NULL);
	check(cr_register_hook(CR_HOOK_CONT_NO_CALLBACKS, NULL) == hook);
	check(cr_register_hook(CR_NUM_HOOKS, hook) == CR_HOOK_FN_ERROR && errno == EINVAL);
	check(cr_inc_persist() == 0 && cr_inc_persist() == 1);
	check(cr_dec_persist() == 2 && cr_dec_persist() == 1);
	check_fails(cr_dec_persist(), ERANGE);
}

static void sections(cr_client_id_t one, cr_client_id_t two)
{
	check_fails(cr_enter_cs(99), EINVAL);
	check_fails(cr_enter_cs(CR_ID_CALLBACK), EINVAL);
	check_fails(cr_leave_cs(one), EINVAL);
	check(cr_enter_cs(one) == 0 && cr_tryenter_cs(two) == 0 && cr_enter_cs(one) == 0);
	check(cr_leave_cs(one) == 0 && cr_leave_cs(one) == 0);
	check_fails(cr_leave_cs(one), EINVAL);
	check(cr_status() == CR_STATE_IDLE);
	check(cr_leave_cs(two) == 0);
}

static void spin_locks(void)
{
	cr_spinlock_t lock = 12345;

	cr_spinlock_init(&lock);
	check(lock == CR_SPINLOCK_INITIALIZER);
	check(cr_spinlock_trylock(&lock) && !cr_spinlock_trylock(&lock));
	cr_spinlock_unlock(&lock);
	cr_spinlock_lock(&lock);
	check(!cr_spinlock_trylock(&lock));
	cr_spinlock_unlock(&lock);
	check(cr_spinlock_trylock(&lock));
}

static void requests(void)
{
	cr_checkpoint_args_t args;
	cr_checkpoint_handle_t handle = 12345;
	cr_restart_args_t restart;

	check_fails(cri_init_checkpoint_args_t(2, &args), CR_EVERSION);
	check(cr_initialize_checkpoint_args_t(&args) == 0 && args.cr_fd == -1);
	check(cr_initialize_restart_args_t(&restart) == 0);
	check(restart.cr_flags == CR_RSTRT_RESTORE_PID);
	check_fails(cri_init_checkpoint_args_t(CR_CHECKPOINT_ARGS_VERSION, NULL), EINVAL);
	check_fails(cri_init_restart_args_t(CR_RESTART_ARGS_VERSION, NULL), EINVAL);
	check_fails(cri_init_restart_args_t(2, &restart), CR_EVERSION);
	check_fails(cr_request_checkpoint(&args, &handle), EINVAL); /* no scope */
	args.cr_scope = CR_SCOPE_PROC;
	check_fails(cr_request_checkpoint(&args, &handle), EBADF);
	args.cr_fd = open("/dev/null", O_RDONLY);
	check_fails(cr_request_checkpoint(&args, &handle), EBADF); /* not for writing */
	close(args.cr_fd);
	args.cr_flags = CR_CHKPT_PTRACED_ALLOW | CR_CHKPT_PTRACED_SKIP;
	check_fails(cr_request_checkpoint(&args, &handle), EINVAL);
	check_fails(cr_wait_checkpoint(&handle, NULL), EINVAL);
	check_fails(cr_log_checkpoint(&handle, 0, NULL), EINVAL);
	check_fails(cr_reap_checkpoint(&handle), EINVAL);
	check(cr_poll_checkpoint(&handle, NULL) == CR_POLL_CHKPT_ERR_PRE && errno == EINVAL);
	check_fails(cr_request_restart(&restart, &handle), EBADF);
}

int main(void)
{
	cr_client_id_t one, two;
	int status;

	check(SIGRTMAX == CR_SIGNUM - 1); /* ours is reserved */
	before_init();
	outside_callbacks();
	one = cr_init();
	two = cr_init();
	check(one >= 0 && two >= 0 && one != two);
	check(cr_status() == CR_STATE_IDLE);
	outside_callbacks();
	settings();
	callbacks();
	sections(one, two);
	spin_locks();
	requests();
	check(!strcmp(cr_strerror(ENOENT), strerror(ENOENT)));
	for (int code = CR_MIN_ERRCODE + 1; code < CR_MAX_ERRCODE; code++) {
		check(strncmp(cr_strerror(code), "Unknown", 7) && *cr_strerror(code));
		for (int other = CR_MIN_ERRCODE + 1; other < code; other++)
			check(strcmp(cr_strerror(code), cr_strerror(other)));
	}
	for (int code = 0; code < 140; code++) {
		/* Of an unknown one it has made a text that the next call frees. */
		char text[256];

		snprintf(text, sizeof text, "%s", strerror(code));
		check(!strcmp(cr_strerror(code), text));
	}
	check(cr_strerror(-1) && cr_strerror(CR_MIN_ERRCODE) && cr_strerror(CR_MAX_ERRCODE + 1));
	raise(CR_SIGNUM); /* from anybody but an engine: nothing */
	if (!fork()) {
		before_init(); /* a child starts anew */
		check(cr_init() >= 0);
		_exit(0);
	}
	check(wait(&status) > 0 && status == 0);
	return 0;
}

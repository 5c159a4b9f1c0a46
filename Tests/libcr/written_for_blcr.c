/* SPDX-License-Identifier: Apache-2.0
 * A program as its author had it from BLCR's own documentation: a worker pool with a log file, that asks for
 * its own checkpoint every so often, and a parent that has it saved from outside, too. Nothing in it knows
 * of this implementation: no harness, no extension, every structure and value by its old name.
 *
 *   written_for_blcr work FILE          works; saves itself into FILE.N when there is a file `save`
 *   written_for_blcr save PID FILE      asks for a checkpoint of PID and its children, as mpiexec does
 *   written_for_blcr restart FILE       brings it back, and waits for it, as mpiexec does
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libcr.h"

#if CR_RELEASE_MAJOR != 0 || LIBCR_MAJOR != 0
#error "A release that this program does not know"
#endif
#if CR_CHECKPOINT_READY != 0 || CR_CHECKPOINT_TEMP_FAILURE != 1 || CR_CHECKPOINT_PERM_FAILURE != 2 \
	|| CR_CHECKPOINT_OMIT != 4 || CR_MAX_RSTRT_RELOC != 16
#error "Other values"
#endif

#define WORKERS 3

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static FILE *log_file;
static const char *log_name;
static int checkpoints, restarts, postponed, hooked;
static volatile int finished;
static cr_callback_id_t thread_id, signal_id;
static pthread_key_t key;
static struct cr_rstrt_relocate_pair no_pair = { NULL, NULL };
static cr_spinlock_t hook_lock = CR_SPINLOCK_INITIALIZER;

static void die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, cr_strerror(errno));
	exit(1);
}

static void after_restart(cr_hook_event_t event)
{
	cr_spinlock_lock(&hook_lock);
	if (event == CR_HOOK_RSTRT_THREAD_CONTEXT || event == CR_HOOK_RSTRT_NO_CALLBACKS)
		++hooked;
	cr_spinlock_unlock(&hook_lock);
}

static int close_log(void *arg)
{
	const struct cr_checkpoint_info *info = cr_get_checkpoint_info();
	int rc;

	if (!info)
		return -1;
	pthread_mutex_lock(&mutex);
	fprintf(log_file, "checkpoint by %d of %d scope %d signal %d to '%s'\n", (int)info->requester,
		(int)info->target, (int)info->scope, info->signal, info->dest);
	fclose(log_file);
	if (access("busy", F_OK) == 0) {
		++postponed;
		rc = cr_checkpoint(CR_CHECKPOINT_TEMP_FAILURE);
	} else {
		rc = cr_checkpoint(CR_CHECKPOINT_READY);
	}
	log_file = fopen((const char *)arg, "a");
	if (!log_file)
		return -1;
	if (rc < 0) {
		fprintf(log_file, "failed: %s\n", cr_strerror(-rc));
	} else if (rc) {
		const struct cr_restart_info *restart = cr_get_restart_info();

		++restarts;
		fprintf(log_file, "restarted by %d from '%s'\n", (int)restart->requester, restart->src);
	} else {
		++checkpoints;
		fprintf(log_file, "continued\n");
	}
	fflush(log_file);
	pthread_mutex_unlock(&mutex);
	return 0;
}

static int in_signal_context(void *arg)
{
	int rc = cr_checkpoint(CR_CHECKPOINT_READY);

	(void)arg;
	return rc < 0 ? 0 : 0;
}

static void drop(void *value)
{
	(void)value;
	cr_dec_persist();
}

static void *worker(void *arg)
{
	cr_client_id_t client = cr_init();
	cr_spinlock_t *lock = (cr_spinlock_t *)arg;

	if (client < 0)
		die("cr_init");
	cr_inc_persist();
	pthread_setspecific(key, lock);
	cr_hold_ctrl(CR_HOLD_SCOPE_THREAD, CR_HOLD_NONE);
	while (!finished) {
		if (cr_tryenter_cs(client) == 0) {
			cr_spinlock_lock(lock);
			cr_spinlock_unlock(lock);
			if (cr_leave_cs(client) < 0)
				die("cr_leave_cs");
		}
		usleep(1000);
	}
	return NULL;
}

static void save_self(const char *name, int number)
{
	cr_checkpoint_args_t cr_args;
	cr_checkpoint_handle_t cr_handle;
	struct timeval tv = { 1, 0 };
	char path[4096];
	int rc;

	snprintf(path, sizeof path, "%s.%d", name, number);
	cr_initialize_checkpoint_args_t(&cr_args);
	cr_args.cr_scope = CR_SCOPE_PROC;
	cr_args.cr_target = 0;
	cr_args.cr_signal = 0;
	cr_args.cr_timeout = 0;
	cr_args.cr_flags = CR_CHKPT_DUMP_EXEC | CR_CHKPT_DUMP_PRIVATE;
	cr_args.cr_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0400);
	if (cr_args.cr_fd < 0)
		die(path);
	rc = cr_request_checkpoint(&cr_args, &cr_handle);
	if (rc < 0) {
		printf("not saved: %s\n", cr_strerror(errno));
		fflush(stdout);
		close(cr_args.cr_fd);
		unlink(path);
		return;
	}
	do {
		rc = cr_poll_checkpoint(&cr_handle, &tv);
		if (rc < 0) {
			if (rc == CR_POLL_CHKPT_ERR_POST && errno == CR_ERESTARTED) {
				printf("saved and restarted %d\n", number);
				break;
			}
			if (rc == CR_POLL_CHKPT_ERR_PRE && errno == EINTR)
				continue;
			printf("not saved: %s\n", cr_strerror(errno));
			unlink(path);
			break;
		}
		if (rc > 0)
			printf("saved %d\n", number);
	} while (rc <= 0);
	fflush(stdout);
	close(cr_args.cr_fd);
}

static int work(const char *name)
{
	cr_client_id_t client = cr_init();
	cr_spinlock_t lock = CR_SPINLOCK_INITIALIZER;
	pthread_t threads[WORKERS];
	int number = 0;

	if (client < 0)
		die("cr_init");
	log_name = "log";
	log_file = fopen(log_name, "w");
	if (!log_file)
		die(log_name);
	pthread_key_create(&key, drop);
	thread_id = cr_register_callback(close_log, (void *)log_name, CR_THREAD_CONTEXT);
	signal_id = cr_register_callback(in_signal_context, NULL, CR_SIGNAL_CONTEXT);
	if (thread_id < 0 || signal_id < 0)
		die("cr_register_callback");
	if (cr_register_hook(CR_HOOK_RSTRT_THREAD_CONTEXT, after_restart) == CR_HOOK_FN_ERROR
	    || cr_register_hook(CR_HOOK_RSTRT_NO_CALLBACKS, after_restart) == CR_HOOK_FN_ERROR)
		die("cr_register_hook");
	cr_hold_ctrl(CR_HOLD_SCOPE_UNINIT, CR_HOLD_NONE);
	for (int i = 0; i < WORKERS; i++)
		if (pthread_create(&threads[i], NULL, worker, &lock))
			die("pthread_create");
	printf("main waits\n");
	fflush(stdout);
	while (access("end", F_OK)) {
		if (access("save", F_OK) == 0) {
			unlink("save");
			save_self(name, ++number);
		}
		cr_enter_cs(client);
		usleep(100);
		cr_leave_cs(client);
		if (cr_status() == CR_STATE_IDLE)
			usleep(2000);
	}
	finished = 1;
	for (int i = 0; i < WORKERS; i++)
		pthread_join(threads[i], NULL);
	if (cr_replace_callback(thread_id, NULL, NULL, CR_THREAD_CONTEXT) < 0)
		die("cr_replace_callback");
	printf("%d checkpoints, %d restarts, %d postponed, %d hooks\n", checkpoints, restarts, postponed,
		hooked);
	return 0;
}

static int save(pid_t pid, const char *name)
{
	cr_checkpoint_args_t args;
	cr_checkpoint_handle_t handle;
	int ret;

	if (cr_init() < 0)
		die("cr_init");
	if (cr_initialize_checkpoint_args_t(&args) < 0)
		die("cr_initialize_checkpoint_args_t");
	args.cr_target = pid;
	args.cr_scope = CR_SCOPE_TREE;
	args.cr_flags = CR_CHKPT_ASYNC_ERR | CR_CHKPT_PROHIBIT_SELF;
	args.cr_fd = open(name, O_CREAT | O_WRONLY | O_TRUNC, 0600);
	if (args.cr_fd < 0)
		die(name);
	if (cr_request_checkpoint(&args, &handle) < 0)
		die("cr_request_checkpoint");
	do
		ret = cr_wait_checkpoint(&handle, NULL);
	while (ret < 0 && errno == EINTR);
	if (ret < 0)
		die("cr_wait_checkpoint");
	ret = cr_log_checkpoint(&handle, 0, NULL);
	if (ret > 0) {
		char *text = (char *)malloc(ret);

		cr_log_checkpoint(&handle, ret, text);
		fputs(text, stderr);
		free(text);
	}
	ret = cr_reap_checkpoint(&handle);
	if (ret < 0 && errno == CR_ETEMPFAIL)
		return 3;
	if (ret < 0)
		die("cr_reap_checkpoint");
	close(args.cr_fd);
	return 0;
}

static int restart(const char *name)
{
	cr_restart_args_t args;
	cr_restart_handle_t handle;
	struct cr_rstrt_relocate *reloc =
		(struct cr_rstrt_relocate *)malloc(CR_RSTRT_RELOCATE_SIZE(1));
	int ret, status;

	if (cr_initialize_restart_args_t(&args) < 0)
		die("cr_initialize_restart_args_t");
	reloc->count = 1;
	reloc->path[0] = no_pair;
	reloc->path[0].oldpath = "/nowhere/at/all";
	reloc->path[0].newpath = "/tmp";
	args.cr_fd = open(name, O_RDONLY);
	args.cr_signal = 0;
	args.cr_flags = CR_RSTRT_RESTORE_PID;
	args.cr_relocate = reloc;
	if (args.cr_fd < 0)
		die(name);
	if (cr_request_restart(&args, &handle) < 0)
		die("cr_request_restart");
	do
		ret = cr_poll_restart(&handle, NULL);
	while (ret == CR_POLL_RSTRT_ERR_PRE && errno == EINTR);
	if (ret < 0)
		die("cr_poll_restart");
	close(args.cr_fd);
	printf("restarted %d\n", ret);
	fflush(stdout);
	while (waitpid(ret, &status, 0) < 0)
		if (errno != EINTR)
			die("waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 100;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "work"))
		return work(argv[2]);
	if (argc == 4 && !strcmp(argv[1], "save"))
		return save((pid_t)atoi(argv[2]), argv[3]);
	if (argc == 3 && !strcmp(argv[1], "restart"))
		return restart(argv[2]);
	fprintf(stderr, "usage: %s work FILE | save PID FILE | restart FILE\n", argv[0]);
	return 2;
}

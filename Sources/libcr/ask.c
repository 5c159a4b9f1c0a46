/* SPDX-License-Identifier: Apache-2.0
 * Checkpoint and restart requests: checked, and put into the words of the command-line tools.
 */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "request.h"

int cri_init_checkpoint_args_t(cr_version_t version, cr_checkpoint_args_t *args)
{
	if (!args)
		return cri_fail(EINVAL);
	if (version != CR_CHECKPOINT_ARGS_VERSION)
		return cri_fail(CR_EVERSION);
	memset(args, 0, sizeof *args);
	args->cr_version = version;
	args->cr_scope = (cr_scope_t)-1; /* to be chosen */
	args->cr_fd = -1;
	return 0;
}

int cri_init_restart_args_t(cr_version_t version, cr_restart_args_t *args)
{
	if (!args)
		return cri_fail(EINVAL);
	if (version != CR_RESTART_ARGS_VERSION)
		return cri_fail(CR_EVERSION);
	memset(args, 0, sizeof *args);
	args->cr_version = version;
	args->cr_fd = -1;
	args->cr_flags = CR_RSTRT_RESTORE_PID;
	return 0;
}

static int check_descriptor(int fd, int unwanted)
{
	struct stat status;
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || (flags & O_ACCMODE) == unwanted || fstat(fd, &status))
		return EBADF;
	return S_ISDIR(status.st_mode) ? EISDIR : 0;
}

/* The tool's path: where it was installed, or, for tests and odd installations, the folder that
 * LIBCR_TOOLS names (never heeded in a set-id program). */
static void add_tool(struct cri_request *request, const char *name)
{
	const char *folder = secure_getenv("LIBCR_TOOLS");
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/%s", folder && *folder ? folder : CR_TOOL_FOLDER, name);
	cri_add_word(request, path, "");
	cri_add_word(request, "--libcr=", "4");
}

static int check_checkpoint(const cr_checkpoint_args_t *args)
{
	const unsigned known = CR_CHKPT_PROHIBIT_SELF | CR_CHKPT_PTRACED_ALLOW | CR_CHKPT_PTRACED_SKIP
		| CR_CHKPT_PTRACER_SKIP | CR_CHKPT_ASYNC_ERR | CR_CHKPT_DUMP_ALL
		| CR_CHKPT_REQUIRE_LIBCR;
	const unsigned both = CR_CHKPT_PTRACED_ALLOW | CR_CHKPT_PTRACED_SKIP;

	if (args->cr_version != CR_CHECKPOINT_ARGS_VERSION)
		return CR_EVERSION;
	if ((unsigned)args->cr_scope > CR_SCOPE_TREE || args->cr_target < 0
	    || args->cr_signal < 0 || args->cr_signal >= NSIG || (args->cr_flags & ~known)
	    || (args->cr_flags & both) == both || args->cr_timeout > INT_MAX)
		return EINVAL;
	return check_descriptor(args->cr_fd, O_RDONLY);
}

static pid_t find_target(const cr_checkpoint_args_t *args)
{
	if (args->cr_target)
		return args->cr_target;
	switch (args->cr_scope) {
	case CR_SCOPE_PGRP: return getpgrp();
	case CR_SCOPE_SESS: return getsid(0);
	default: return cri_process();
	}
}

static void add_checkpoint_words(struct cri_request *request, const cr_checkpoint_args_t *args)
{
	static const char *const scopes[] = { "--pid", "--group", "--session", "--tree" };

	add_tool(request, "cr_checkpoint");
	cri_add_number(request, "--requester=", cri_process());
	cri_add_word(request, scopes[args->cr_scope], "");
	cri_add_word(request, "--fd=", "3");
	cri_add_word(request, "--nosync", "");
	if (args->cr_signal)
		cri_add_number(request, "--signal=", args->cr_signal);
	if (args->cr_timeout)
		cri_add_number(request, "--time=", (long)args->cr_timeout);
	if (args->cr_flags & CR_CHKPT_PROHIBIT_SELF)
		cri_add_word(request, "--prohibit-self", "");
	if (args->cr_flags & CR_CHKPT_PTRACED_ALLOW)
		cri_add_word(request, "--ptraced-allow", "");
	if (args->cr_flags & CR_CHKPT_PTRACED_SKIP)
		cri_add_word(request, "--ptraced-skip", "");
	if (args->cr_flags & CR_CHKPT_PTRACER_SKIP)
		cri_add_word(request, "--ptracer-skip", "");
	if (args->cr_flags & CR_CHKPT_REQUIRE_LIBCR)
		cri_add_word(request, "--require-libcr", "");
	if (args->cr_flags & CR_CHKPT_DUMP_EXEC)
		cri_add_word(request, "--save-exe", "");
	if (args->cr_flags & CR_CHKPT_DUMP_PRIVATE)
		cri_add_word(request, "--save-private", "");
	if (args->cr_flags & CR_CHKPT_DUMP_SHARED)
		cri_add_word(request, "--save-shared", "");
	cri_add_number(request, "", find_target(args));
}

/* Starts it; with `must_begin` an early failure is this call's. 0, or an error number. */
static int begin(struct cri_request *request, int must_begin, unsigned long *handle)
{
	int error = request->error;

	if (!error)
		error = cri_start_helper(request);
	if (error) {
		cri_free_request(request);
		return error;
	}
	cri_list_request(request);
	if (must_begin) {
		cri_wait_stage(request, CRI_ACCEPTED);
		/* Ended with an error before the targets were taken: this call's failure. */
		if (request->generation == cri_block.generation && !request->is_accepted && request->has_result
		    && request->error && cri_wait_request(request, NULL, 0) > 0) {
			error = request->error;
			cri_end_request(request);
			cri_free_request(request);
			return error;
		}
	}
	*handle = (unsigned long)request;
	return 0;
}

int cr_request_checkpoint(cr_checkpoint_args_t *args, cr_checkpoint_handle_t *handle)
{
	struct cri_request *request;
	int error;

	if (!args || !handle)
		return cri_fail(EINVAL);
	error = check_checkpoint(args);
	if (error)
		return cri_fail(error);
	request = cri_make_request(CRI_CHECKPOINT);
	if (!request)
		return -1;
	request->context = args->cr_fd;
	add_checkpoint_words(request, args);
	error = begin(request, !(args->cr_flags & CR_CHKPT_ASYNC_ERR), handle);
	return error ? cri_fail(error) : 0;
}

/* OLD=NEW as cr_restart reads it: `=` and `\` behind a backslash. */
static void add_relocation(struct cri_request *request, const struct cr_rstrt_relocate_pair *pair)
{
	char text[2 * PATH_MAX + 2 * PATH_MAX + 2];
	const char *parts[2] = { pair->oldpath, pair->newpath };
	size_t used = 0;

	for (int part = 0; part < 2; part++) {
		for (const char *from = parts[part]; *from && used < sizeof text - 4; from++) {
			if (*from == '=' || *from == '\\')
				text[used++] = '\\';
			text[used++] = *from;
		}
		if (!part)
			text[used++] = '=';
	}
	text[used] = 0;
	cri_add_word(request, "--relocate=", text);
}

static int check_restart(const cr_restart_args_t *args)
{
	const unsigned known = CR_RSTRT_ASYNC_ERR | CR_RSTRT_RESTORE_PID | CR_RSTRT_RESTORE_PGID
		| CR_RSTRT_RESTORE_SID;

	if (args->cr_version != CR_RESTART_ARGS_VERSION)
		return CR_EVERSION;
	if (args->cr_signal < 0 || args->cr_signal >= NSIG || (args->cr_flags & ~known))
		return EINVAL;
	if (args->cr_relocate) {
		if (args->cr_relocate->count > CR_MAX_RSTRT_RELOC)
			return EINVAL;
		for (unsigned i = 0; i < args->cr_relocate->count; i++) {
			const struct cr_rstrt_relocate_pair *pair = &args->cr_relocate->path[i];

			if (!pair->oldpath || !pair->newpath)
				return EINVAL;
			if (strlen(pair->oldpath) >= PATH_MAX || strlen(pair->newpath) >= PATH_MAX)
				return ENAMETOOLONG;
		}
	}
	return check_descriptor(args->cr_fd, O_WRONLY);
}

int cr_request_restart(cr_restart_args_t *args, cr_restart_handle_t *handle)
{
	struct cri_request *request;
	int error;

	if (!args || !handle)
		return cri_fail(EINVAL);
	error = check_restart(args);
	if (error)
		return cri_fail(error);
	request = cri_make_request(CRI_RESTART);
	if (!request)
		return -1;
	request->context = args->cr_fd;
	cri_take_orphans(request);
	add_tool(request, "cr_restart");
	cri_add_number(request, "--requester=", cri_process());
	cri_add_word(request, "--fd=", "3");
	if (args->cr_signal)
		cri_add_number(request, "--signal=", args->cr_signal);
	cri_add_word(request,
		args->cr_flags & CR_RSTRT_RESTORE_PID ? "--restore-pid" : "--no-restore-pid", "");
	cri_add_word(request,
		args->cr_flags & CR_RSTRT_RESTORE_PGID ? "--restore-pgid" : "--no-restore-pgid", "");
	cri_add_word(request,
		args->cr_flags & CR_RSTRT_RESTORE_SID ? "--restore-sid" : "--no-restore-sid", "");
	for (unsigned i = 0; args->cr_relocate && i < args->cr_relocate->count; i++)
		add_relocation(request, &args->cr_relocate->path[i]);
	error = begin(request, !(args->cr_flags & CR_RSTRT_ASYNC_ERR), handle);
	return error ? cri_fail(error) : 0;
}

/* The old calls: this process, no questions asked. */
static void checkpoint_into(int fd)
{
	cr_checkpoint_args_t args;
	cr_checkpoint_handle_t handle;

	cr_initialize_checkpoint_args_t(&args);
	args.cr_scope = CR_SCOPE_PROC;
	args.cr_fd = fd;
	if (cr_request_checkpoint(&args, &handle))
		return;
	while (cr_poll_checkpoint(&handle, NULL) == CR_POLL_CHKPT_ERR_PRE && errno == EINTR)
		;
}

static void checkpoint_into_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		return;
	checkpoint_into(fd);
	close(fd);
}

void cr_request_fd(int fd)
{
	checkpoint_into(fd);
}

void cr_request_file(const char *path)
{
	checkpoint_into_file(path);
}

void cr_request(void)
{
	char path[32];

	snprintf(path, sizeof path, "context.%d", (int)cri_process());
	checkpoint_into_file(path);
}

/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <time.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include "file.h"

static long result(long value)
{
	return value == -1 ? -errno : value;
}

long cr_open(int directory, const char *path, int flags, unsigned mode)
{
	return result(openat(directory, path, flags | O_CLOEXEC, mode));
}

int64_t cr_seek(int fd, int64_t offset, int whence)
{
	off_t place = lseek(fd, offset, whence);

	return place == -1 ? -errno : place;
}

long cr_pread(int fd, void *buffer, size_t count, int64_t offset)
{
	return result(pread(fd, buffer, count, offset));
}

long cr_pwrite(int fd, const void *buffer, size_t count, int64_t offset)
{
	return result(pwrite(fd, buffer, count, offset));
}

long cr_start_writeback(int fd, uint64_t offset, uint64_t count)
{
	return result(sync_file_range(fd, (off64_t)offset, (off64_t)count, SYNC_FILE_RANGE_WRITE));
}

long cr_truncate(int fd, int64_t size)
{
	return result(ftruncate(fd, size));
}

long cr_reserve(int fd, int64_t offset, int64_t count)
{
	return result(fallocate(fd, FALLOC_FL_KEEP_SIZE, offset, count));
}

long cr_status(int directory, const char *path, int flags, struct cr_file_status *status)
{
	struct stat s;

	if (fstatat(directory, path, &s, flags) == -1)
		return -errno;
	*status = (struct cr_file_status) {
		.device = s.st_dev, .inode = s.st_ino, .size = (uint64_t)s.st_size,
		.blocks = (uint64_t)s.st_blocks, .special_device = s.st_rdev,
		.block_size = (uint64_t)s.st_blksize, .mode = s.st_mode,
		.links = (uint32_t)s.st_nlink, .user = s.st_uid, .group = s.st_gid,
		.modified_seconds = s.st_mtim.tv_sec, .modified_nanoseconds = s.st_mtim.tv_nsec,
	};
	return 0;
}

uint64_t cr_free_bytes(int fd)
{
	struct statvfs s;

	/* A file system without a limit of its own (sysfs, some network ones) says zero blocks. */
	if (fstatvfs(fd, &s) == -1 || s.f_blocks == 0)
		return UINT64_MAX;
	/* Root may use the blocks that are kept for it. */
	return (uint64_t)(geteuid() ? s.f_bavail : s.f_bfree) * s.f_frsize;
}

long cr_map_for_reading(int fd, int64_t offset, size_t count)
{
	void *address = mmap(NULL, count, PROT_READ, MAP_SHARED, fd, offset);

	return address == MAP_FAILED ? -errno : (long)address;
}

static void wait_for(int fd, short events)
{
	struct pollfd one = { .fd = fd, .events = events };

	poll(&one, 1, -1);
}

long cr_write_quietly(int fd, const void *buffer, size_t count)
{
	const struct timespec now = { 0 };
	sigset_t pipe_signal, old, pending;
	int already;
	long result;

	/* Blocked for the call and taken back, unless one was pending before (then it is not ours). */
	sigemptyset(&pipe_signal);
	sigaddset(&pipe_signal, SIGPIPE);
	sigpending(&pending);
	already = sigismember(&pending, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe_signal, &old);
	for (;;) {
		result = write(fd, buffer, count);
		if (result >= 0 || (errno != EINTR && errno != EAGAIN))
			break;
		if (errno == EAGAIN)
			wait_for(fd, POLLOUT);
	}
	if (result == -1) {
		result = -errno;
		if (result == -EPIPE && !already)
			sigtimedwait(&pipe_signal, NULL, &now);
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return result;
}

long cr_read_waiting(int fd, void *buffer, size_t count)
{
	for (;;) {
		long result = read(fd, buffer, count);

		if (result >= 0)
			return result;
		if (errno == EAGAIN)
			wait_for(fd, POLLIN);
		else if (errno != EINTR)
			return -errno;
	}
}

int cr_open_unnamed(const char *directory)
{
	int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	return fd == -1 ? -errno : fd;
}

long cr_lock_description(int fd, const struct cr_file_lock *lock)
{
	struct flock wanted = {
		.l_type = lock->exclusive ? F_WRLCK : F_RDLCK, .l_whence = SEEK_SET,
		.l_start = (off_t)lock->start, .l_len = (off_t)lock->count,
	};

	return result(fcntl(fd, F_OFD_SETLK, &wanted));
}

long cr_map_shared(size_t count, int page_bits, int file)
{
	int flags = file < 0 ? MAP_ANONYMOUS : 0;
	void *address;

	/* Huge pages that are not there are to be missed now and not when they are written to. */
	flags |= page_bits ? MAP_HUGETLB | page_bits << 26 : file < 0 ? MAP_NORESERVE : 0;
	address = mmap(NULL, count, PROT_READ | PROT_WRITE, MAP_SHARED | flags, file, 0);

	return address == MAP_FAILED ? -errno : (long)address;
}

long cr_thread_start(void *(*body)(void *), void *argument, const void *cpus, size_t cpus_size,
	uintptr_t *thread)
{
	pthread_attr_t attributes;
	pthread_t made;
	sigset_t all, old;
	int error;

	/* Signals are for the thread that holds the targets; a helper must never take one. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 256 * 1024);
	if (cpus)
		pthread_attr_setaffinity_np(&attributes, cpus_size, cpus);
	error = pthread_create(&made, &attributes, body, argument);
	pthread_attr_destroy(&attributes);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	*thread = error ? 0 : (uintptr_t)made;
	return -error;
}

void cr_thread_join(uintptr_t thread)
{
	pthread_join((pthread_t)thread, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 * Files: calls whose 64-bit offsets a 32-bit machine passes in two registers, structures whose
 * layout differs by machine, and threads. Everything returns -errno, never sets errno.
 */
#ifndef CR_FILE_H
#define CR_FILE_H

#include <stddef.h>
#include <stdint.h>

/* struct stat with the same fields on every machine. */
struct cr_file_status {
	uint64_t device, inode, size, blocks, block_size, special_device;
	uint32_t mode, links, user, group;
	int64_t modified_seconds, modified_nanoseconds;
};

long cr_open(int directory, const char *path, int flags, unsigned mode);
long cr_pread(int fd, void *buffer, size_t count, int64_t offset);
/* lseek(2), whose offset does not fit a long everywhere; -errno. */
int64_t cr_seek(int fd, int64_t offset, int whence);
long cr_pwrite(int fd, const void *buffer, size_t count, int64_t offset);
long cr_truncate(int fd, int64_t size);
/* sync_file_range(2) with SYNC_FILE_RANGE_WRITE: begins to write dirty pages, waits for nothing. */
long cr_start_writeback(int fd, uint64_t offset, uint64_t count);
/* Reserves blocks without changing the size (FALLOC_FL_KEEP_SIZE). */
long cr_reserve(int fd, int64_t offset, int64_t count);
/* path may be "" with AT_EMPTY_PATH in flags: the descriptor itself. */
long cr_status(int directory, const char *path, int flags, struct cr_file_status *status);
/* Bytes that an ordinary user can still write to the file system of fd; all ones: no limit known. */
uint64_t cr_free_bytes(int fd);
/* Maps count bytes of a file for reading; MAP_FAILED as -errno. */
long cr_map_for_reading(int fd, int64_t offset, size_t count);

/* read and write that wait for a non-blocking descriptor, go on after EINTR, and give -EPIPE without
 * a signal. May move less than count. */
long cr_write_quietly(int fd, const void *buffer, size_t count);
long cr_read_waiting(int fd, void *buffer, size_t count);

/* O_PATH and O_TMPFILE, which Swift does not see since they are expressions. */
#define CR_O_PATH 010000000
int cr_open_unnamed(const char *directory);

/* A lock of an open file description on part of a file; count 0 is to the end. */
struct cr_file_lock {
	uint64_t start, count;
	int exclusive;
};
long cr_lock_description(int fd, const struct cr_file_lock *lock);
/* Maps count bytes of a file, or, if that is negative, of new shared memory, in huge pages of
 * 1 << page_bits bytes unless that is 0; the address, or -errno. */
long cr_map_shared(size_t count, int page_bits, int file);

/* EFD_SEMAPHORE | EFD_CLOEXEC of <sys/eventfd.h>, an enumeration there. */
#define CR_EVENTFD_SEMAPHORE (1 | 02000000)

/* Starts a thread with all signals blocked that may use the CPUs of the mask (no mask: those of
 * the caller); its stack is small. 0 and *thread, or -errno. */
long cr_thread_start(void *(*body)(void *), void *argument, const void *cpus, size_t cpus_size,
	uintptr_t *thread);
void cr_thread_join(uintptr_t thread);

#endif

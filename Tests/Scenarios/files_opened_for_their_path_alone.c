/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/files_opened_for_their_path_alone.c
 * O_PATH: of a file, a directory, a symbolic link, a FIFO and a socket, of pipes without a name whose
 * ends are open or not, and of a deleted FIFO; O_TMPFILE: a file that never had a name, and gets one
 * afterwards.
 */
#include "scenario.h"
#include <sys/socket.h>
#include <sys/un.h>

static ino_t inode_of(int file, mode_t kind)
{
	struct stat state;

	check(fstat(file, &state) == 0 && (state.st_mode & S_IFMT) == kind);
	return state.st_ino;
}

/* A pipe, looked up at descriptor `end`, opens as its read end. */
static void check_reads(int found, const char *text)
{
	char proc[64], bytes[16] = "";
	int end;

	check(fcntl(found, F_GETFL) & O_PATH && read(found, bytes, 1) < 0 && errno == EBADF);
	snprintf(proc, sizeof proc, "/proc/self/fd/%d", found);
	end = open(proc, O_RDONLY | O_NONBLOCK);
	check(end >= 0);
	check(read(end, bytes, sizeof bytes) == (ssize_t)strlen(text) && strcmp(bytes, text) == 0);
	check(close(end) == 0);
}

static int looked_up(int end)
{
	char proc[64];
	int found;

	snprintf(proc, sizeof proc, "/proc/self/fd/%d", end);
	found = open(proc, O_PATH);
	check(found >= 0);
	return found;
}

int main(void)
{
	int of_pipe, of_closed, of_deleted, pipe_ends[2], closed_ends[2], deleted;
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	char path[PATH_MAX], bytes[100], proc[64];
	int file, directory, link, fifo, bound, unnamed, holder = socket(AF_UNIX, SOCK_STREAM, 0);
	int all[5], flags[5];
	ino_t inodes[5];

	check(close(file_with("file", 100, 3)) == 0);
	path_in_scenario(path, "link");
	check(symlink("nowhere", path) == 0);
	link = open(path, O_PATH | O_NOFOLLOW);
	path_in_scenario(path, "fifo");
	check(mkfifo(path, 0600) == 0);
	fifo = open(path, O_PATH);
	path_in_scenario(path, "socket");
	check(strlen(path) < sizeof name.sun_path);
	memcpy(name.sun_path, path, strlen(path) + 1);
	check(bind(holder, (struct sockaddr *)&name, sizeof name) == 0);
	bound = open(path, O_PATH);
	path_in_scenario(path, "file");
	file = open(path, O_PATH);
	path_in_scenario(path, ".");
	directory = open(path, O_PATH | O_DIRECTORY);
	unnamed = open(path, O_TMPFILE | O_RDWR, 0640);
	check(file >= 0 && directory >= 0 && link >= 0 && fifo >= 0 && bound >= 0 && unnamed >= 0);
	fill(bytes, sizeof bytes, 4);
	check(write(unnamed, bytes, sizeof bytes) == sizeof bytes);
	inodes[0] = inode_of(file, S_IFREG), inodes[1] = inode_of(directory, S_IFDIR);
	inodes[2] = inode_of(link, S_IFLNK), inodes[3] = inode_of(fifo, S_IFIFO);
	inode_of(bound, S_IFSOCK);
	check(pipe(pipe_ends) == 0 && pipe(closed_ends) == 0);
	of_pipe = looked_up(pipe_ends[0]), of_closed = looked_up(closed_ends[0]);
	check(write(pipe_ends[1], "pipe", 4) == 4);
	check(close(closed_ends[0]) == 0 && close(closed_ends[1]) == 0);
	path_in_scenario(path, "deleted");
	check(mkfifo(path, 0600) == 0);
	deleted = open(path, O_RDWR);
	of_deleted = open(path, O_PATH);
	check(deleted >= 0 && write(deleted, "fifo", 4) == 4 && unlink(path) == 0);
	all[0] = file, all[1] = directory, all[2] = link, all[3] = fifo, all[4] = bound;
	for (int i = 0; i < 5; i++)
		flags[i] = fcntl(all[i], F_GETFL);
	checkpoint_here();
	for (int i = 0; i < 5; i++)
		check(fcntl(all[i], F_GETFL) == flags[i]);
	check(inodes[0] == inode_of(file, S_IFREG) && inodes[1] == inode_of(directory, S_IFDIR));
	check(inodes[2] == inode_of(link, S_IFLNK) && inodes[3] == inode_of(fifo, S_IFIFO));
	inode_of(bound, S_IFSOCK);
	check(inode_of(of_pipe, S_IFIFO) == inode_of(pipe_ends[1], S_IFIFO));
	check(inode_of(of_deleted, S_IFIFO) == inode_of(deleted, S_IFIFO));
	check_reads(of_pipe, "pipe");
	check_reads(of_deleted, "fifo");
	check_reads(of_closed, "");
	check(fcntl(file, F_GETFL) & O_PATH && fcntl(link, F_GETFL) & O_PATH);
	check(fcntl(fifo, F_GETFL) & O_PATH && fcntl(bound, F_GETFL) & O_PATH);
	check(read(file, bytes, 1) < 0 && errno == EBADF);
	check(readlinkat(link, "", path, sizeof path) == 7 && memcmp(path, "nowhere", 7) == 0);
	check(openat(directory, "file", O_RDONLY) >= 0);
	check(lseek(unnamed, 0, SEEK_CUR) == 100 && pread(unnamed, bytes, 100, 0) == 100);
	check(is_filled(bytes, 100, 4));
	snprintf(proc, sizeof proc, "/proc/self/fd/%d", unnamed);
	path_in_scenario(path, "named");
	check(linkat(AT_FDCWD, proc, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0);
	check(unlink(path) == 0);
	path_in_scenario(path, "link");
	check(unlink(path) == 0);
	return passed();
}

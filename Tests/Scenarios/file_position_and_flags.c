/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/file_position_and_flags.c
 * A regular file goes on at its position, with its access mode and status flags.
 */
#include "scenario.h"

int main(void)
{
	char path[PATH_MAX], byte = 0;
	int reader = file_with("read", 5000, 50), writer, appender, none;
	int files[4], flags[4];

	path_in_scenario(path, "written");
	writer = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_NOATIME, 0600);
	path_in_scenario(path, "appended");
	appender = open(path, O_CREAT | O_RDWR | O_APPEND | O_NONBLOCK | O_CLOEXEC, 0600);
	none = open(path, O_PATH);
	check(writer >= 0 && appender >= 0 && none >= 0);
	check(lseek(reader, 1234, SEEK_SET) == 1234);
	check(write(writer, "hello ", 6) == 6 && write(appender, "one ", 4) == 4);
	files[0] = reader, files[1] = writer, files[2] = appender, files[3] = none;
	for (int i = 0; i < 4; i++)
		flags[i] = fcntl(files[i], F_GETFL);
	checkpoint_here();
	for (int i = 0; i < 4; i++)
		check(fcntl(files[i], F_GETFL) == flags[i]);
	check(lseek(reader, 0, SEEK_CUR) == 1234);
	check(write(writer, "world", 5) == 5 && lseek(writer, 0, SEEK_END) == 11);
	check(read(writer, &byte, 1) == -1 && errno == EBADF);
	check(pwrite(appender, "two", 3, 0) == 3);
	check(pread(appender, &byte, 1, 4) == 1 && byte == 't');
	check(fcntl(appender, F_GETFD) == FD_CLOEXEC && fcntl(writer, F_GETFD) == 0);
	return passed();
}

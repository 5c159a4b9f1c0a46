/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/block_device_read.c
 * runner: root
 * A disk that is open for reading: found by its path again, read on where the program was.
 */
#include "scenario.h"
#include <dirent.h>
#include <sys/sysmacros.h>

/* Some disk of this machine, by a name of our own. */
static int open_disk(char *path)
{
	unsigned int major, minor;
	struct dirent *entry;
	char name[PATH_MAX];
	DIR *folder = opendir("/sys/class/block");
	int disk = -1;
	FILE *file;

	path_in_scenario(path, "disk");
	while (folder && disk < 0 && (entry = readdir(folder))) {
		snprintf(name, sizeof name, "/sys/class/block/%s/dev", entry->d_name);
		file = fopen(name, "r");
		if (!file)
			continue;
		unlink(path);
		if (fscanf(file, "%u:%u", &major, &minor) == 2
			&& mknod(path, S_IFBLK | 0600, makedev(major, minor)) == 0)
			disk = open(path, O_RDONLY);
		if (disk >= 0 && lseek(disk, 0, SEEK_END) < 8192) {
			close(disk);
			disk = -1;
		}
		fclose(file);
	}
	return disk;
}

int main(void)
{
	char path[PATH_MAX], before[512], after[512];
	struct stat state;
	int disk = open_disk(path);
	dev_t device;

	if (disk < 0)
		cannot_run_here("no disk can be opened");
	check(pread(disk, before, sizeof before, 4096) == sizeof before);
	check(fstat(disk, &state) == 0 && lseek(disk, 4096, SEEK_SET) == 4096);
	device = state.st_rdev;
	checkpoint_here();
	check(fstat(disk, &state) == 0 && S_ISBLK(state.st_mode) && state.st_rdev == device);
	check(lseek(disk, 0, SEEK_CUR) == 4096);
	check(read(disk, after, sizeof after) == sizeof after);
	check((fcntl(disk, F_GETFL) & O_ACCMODE) == O_RDONLY);
	check(unlink(path) == 0);
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/every_kind_under_way.c
 * One of each further kind of descriptor that nobody has open any more, but that was sent through a socket and
 * not received (SCM_RIGHTS): what a restart makes last, or only once it has the processes, among them.
 */
#include "scenario.h"
#include <arpa/inet.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>

enum { signals, watch, udp, listener, master, fifo, null, queue, directory, looked_up, proc, shared, kinds };

static void send_all(int socket, const int *files)
{
	union { char bytes[CMSG_SPACE(kinds * sizeof(int))]; struct cmsghdr aligned; } control;
	struct iovec part = { (void *)"x", 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes,
		.msg_controllen = sizeof control };

	memset(&control, 0, sizeof control);
	control.aligned.cmsg_level = SOL_SOCKET;
	control.aligned.cmsg_type = SCM_RIGHTS;
	control.aligned.cmsg_len = CMSG_LEN(kinds * sizeof(int));
	memcpy(CMSG_DATA(&control.aligned), files, kinds * sizeof(int));
	check(sendmsg(socket, &message, 0) == 1);
	for (int i = 0; i < kinds; i++)
		check(close(files[i]) == 0);
}

static void receive_all(int socket, int *files)
{
	union { char bytes[CMSG_SPACE(kinds * sizeof(int))]; struct cmsghdr aligned; } control;
	char byte;
	struct iovec part = { &byte, 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes,
		.msg_controllen = sizeof control };

	check(recvmsg(socket, &message, 0) == 1 && !(message.msg_flags & MSG_CTRUNC));
	check(control.aligned.cmsg_len == CMSG_LEN(kinds * sizeof(int)));
	memcpy(files, CMSG_DATA(&control.aligned), kinds * sizeof(int));
}

static struct sockaddr_in name_of(int file)
{
	struct sockaddr_in name;

	check(getsockname(file, (void *)&name, &(socklen_t){ sizeof name }) == 0);
	return name;
}

int main(void)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct signalfd_siginfo told;
	char path[PATH_MAX], queue_name[64], text[64], buffer[1024];
	int files[kinds], ends[2], both[2], other, slave;
	struct sockaddr_in names[2];
	struct stat before, after;
	struct termios settings;
	unsigned priority;
	sigset_t mask;

	check(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0);
	sigemptyset(&mask), sigaddset(&mask, SIGUSR1);
	check(sigprocmask(SIG_BLOCK, &mask, NULL) == 0);
	files[signals] = signalfd(-1, &mask, SFD_NONBLOCK);
	path_in_scenario(path, ".");
	check(stat(path, &before) == 0);
	files[directory] = open(path, O_RDONLY | O_DIRECTORY);
	path_in_scenario(path, "watched");
	check(mkdir(path, 0700) == 0);
	files[watch] = inotify_init1(IN_NONBLOCK);
	check(inotify_add_watch(files[watch], path, IN_CREATE) == 1);
	files[udp] = socket(AF_INET, SOCK_DGRAM, 0), files[listener] = socket(AF_INET, SOCK_STREAM, 0);
	check(bind(files[udp], (void *)&name, sizeof name) == 0);
	check(bind(files[listener], (void *)&name, sizeof name) == 0 && listen(files[listener], 4) == 0);
	names[0] = name_of(files[udp]), names[1] = name_of(files[listener]);
	check(sendto(files[udp], "to itself", 9, 0, (void *)&names[0], sizeof name) == 9);
	files[master] = posix_openpt(O_RDWR | O_NOCTTY);
	check(grantpt(files[master]) == 0 && unlockpt(files[master]) == 0);
	slave = open(ptsname(files[master]), O_RDWR | O_NOCTTY);
	check(slave >= 0 && tcgetattr(slave, &settings) == 0);
	settings.c_oflag &= ~OPOST;
	check(tcsetattr(slave, TCSANOW, &settings) == 0 && write(slave, "shown\n", 6) == 6);
	path_in_scenario(path, "fifo");
	check(mkfifo(path, 0600) == 0);
	files[fifo] = open(path, O_RDWR);
	check(write(files[fifo], "in the fifo", 11) == 11);
	files[looked_up] = open(path, O_PATH);
	files[null] = open("/dev/null", O_WRONLY);
	snprintf(queue_name, sizeof queue_name, "/cr-scenario-%d", (int)getpid());
	files[queue] = mq_open(queue_name, O_CREAT | O_EXCL | O_RDWR | O_NONBLOCK, 0600, NULL);
	if (files[queue] < 0)
		cannot_run_here("no POSIX message queues");
	check(mq_send(files[queue], "queued", 6, 3) == 0 && mq_unlink(queue_name) == 0);
	files[proc] = open("/proc/self/comm", O_RDONLY);
	/* A pipe whose other end stays here. */
	check(pipe(both) == 0);
	files[shared] = both[0], other = both[1];
	check(write(other, "kept", 4) == 4);
	send_all(ends[0], files);
	checkpoint_here();

	receive_all(ends[1], files);
	check(raise(SIGUSR1) == 0 && read(files[signals], &told, sizeof told) == sizeof told);
	check(told.ssi_signo == SIGUSR1);
	path_in_scenario(path, "watched/new");
	check(read(files[watch], buffer, sizeof buffer) == -1 && errno == EAGAIN);
	check(close(open(path, O_CREAT | O_WRONLY, 0600)) == 0);
	check(read(files[watch], buffer, sizeof buffer) > 0 && ((struct inotify_event *)buffer)->wd == 1);
	name = name_of(files[udp]);
	check(memcmp(&name, &names[0], sizeof name) == 0);
	check(recv(files[udp], text, sizeof text, MSG_DONTWAIT) == 9 && memcmp(text, "to itself", 9) == 0);
	name = name_of(files[listener]);
	check(memcmp(&name, &names[1], sizeof name) == 0);
	check(close(other) == 0);
	other = socket(AF_INET, SOCK_STREAM, 0);
	check(connect(other, (void *)&name, sizeof name) == 0 && accept(files[listener], NULL, NULL) >= 0);
	check(read(files[master], text, sizeof text) == 6 && memcmp(text, "shown\n", 6) == 0);
	check(write(slave, "more", 4) == 4 && read(files[master], text, sizeof text) == 4);
	check(read(files[fifo], text, sizeof text) == 11 && memcmp(text, "in the fifo", 11) == 0);
	check(fstat(files[looked_up], &after) == 0 && S_ISFIFO(after.st_mode));
	check(fcntl(files[looked_up], F_GETFL) & O_PATH);
	check(write(files[null], "x", 1) == 1 && read(files[null], text, 1) == -1);
	check(mq_receive(files[queue], buffer, sizeof buffer, NULL) == -1 && errno == EMSGSIZE);
	check(mq_receive(files[queue], memory(65536), 65536, &priority) == 6 && priority == 3);
	check(fstat(files[directory], &after) == 0 && after.st_ino == before.st_ino);
	check(openat(files[directory], "watched", O_RDONLY) >= 0);
	check(read(files[proc], text, sizeof text) > 5 && memcmp(text, "every", 5) == 0);
	check(read(files[shared], text, sizeof text) == 4 && memcmp(text, "kept", 4) == 0);
	check(read(files[shared], text, sizeof text) == 0);
	return passed();
}

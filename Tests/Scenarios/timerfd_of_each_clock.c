/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/timerfd_of_each_clock.c
 * timerfd_create(2) of every clock there is: time that is left and moments, with an interval and without,
 * those that a change of the clock cancels; each shared by dup and fork, and one of each under way in a
 * socket (SCM_RIGHTS). What the kernel tells of them is what it told before.
 */
#include "scenario.h"
#include <sys/socket.h>
#include <sys/timerfd.h>

enum { kinds = 4, clocks = 5 };

static const int clock_of[clocks] = {
	CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_REALTIME_ALARM, CLOCK_BOOTTIME_ALARM,
};

/* Of a moment, the clock that tells it. */
static int plain(int clock)
{
	return clock == CLOCK_REALTIME_ALARM ? CLOCK_REALTIME : clock == CLOCK_BOOTTIME_ALARM ? CLOCK_BOOTTIME : clock;
}

static int flags_of(int clock, int kind)
{
	if (kind < 2)
		return 0;
	return TFD_TIMER_ABSTIME | (kind == 3 && plain(clock) == CLOCK_REALTIME ? TFD_TIMER_CANCEL_ON_SET : 0);
}

/* -1 for a clock that this machine has not, or not for us. */
static int timer(int clock, int kind)
{
	struct itimerspec wanted = { .it_interval = { kind % 2 ? 9 : 0, 0 }, .it_value = { 500, 0 } };
	struct timespec moment;
	int file = timerfd_create(clock, TFD_NONBLOCK);

	if (file < 0)
		return -1;
	if (flags_of(clock, kind)) {
		check(clock_gettime(plain(clock), &moment) == 0);
		wanted.it_value.tv_sec += moment.tv_sec;
	}
	check(timerfd_settime(file, flags_of(clock, kind), &wanted, NULL) == 0);
	return file;
}

static void check_timer(int file, int clock, int kind)
{
	struct itimerspec present;
	char words[64];
	uint64_t count;

	check(timerfd_gettime(file, &present) == 0);
	check(present.it_value.tv_sec <= 500 && present.it_value.tv_sec > 400);
	check(present.it_interval.tv_sec == (kind % 2 ? 9 : 0) && present.it_interval.tv_nsec == 0);
	check(read(file, &count, sizeof count) < 0 && errno == EAGAIN);
	check(fcntl(file, F_GETFL) == (O_RDWR | O_NONBLOCK));
	snprintf(words, sizeof words, "clockid: %d\n", clock);
	check(has_descriptor_info(file, words));
	snprintf(words, sizeof words, "settime flags: 0%o\n", flags_of(clock, kind));
	check(has_descriptor_info(file, words));
}

static void send_one(int socket, int file)
{
	union { char bytes[CMSG_SPACE(sizeof(int))]; struct cmsghdr aligned; } control = { .aligned = {
		.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS } };
	struct iovec part = { (void *)"x", 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes,
		.msg_controllen = sizeof control };

	memcpy(CMSG_DATA(&control.aligned), &file, sizeof file);
	check(sendmsg(socket, &message, 0) == 1 && close(file) == 0);
}

static int receive_one(int socket)
{
	union { char bytes[CMSG_SPACE(sizeof(int))]; struct cmsghdr aligned; } control;
	char byte;
	struct iovec part = { &byte, 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes,
		.msg_controllen = sizeof control };
	int file;

	check(recvmsg(socket, &message, 0) == 1 && control.aligned.cmsg_len == CMSG_LEN(sizeof(int)));
	memcpy(&file, CMSG_DATA(&control.aligned), sizeof file);
	return file;
}

int main(void)
{
	int files[clocks][kinds], copies[clocks], pair[2], sent = 0;
	pid_t child;

	check(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	for (int c = 0; c < clocks; c++) {
		for (int kind = 0; kind < kinds; kind++)
			files[c][kind] = timer(clock_of[c], kind);
		copies[c] = files[c][0] < 0 ? -1 : dup(files[c][0]);
		if (files[c][0] >= 0) {
			send_one(pair[0], timer(clock_of[c], 3));
			sent++;
		}
	}
	check(sent >= 3);
	child = fork();
	if (child == 0) {
		struct itimerspec off = { 0 };

		wait_for_go(0);
		await("checked");
		for (int c = 0; c < clocks; c++)
			check(copies[c] < 0 || timerfd_settime(copies[c], 0, &off, NULL) == 0);
		_exit(0);
	}
	checkpoint_here();
	for (int c = 0; c < clocks; c++) {
		for (int kind = 0; kind < kinds && files[c][kind] >= 0; kind++)
			check_timer(files[c][kind], clock_of[c], kind);
		if (files[c][0] >= 0)
			check_timer(receive_one(pair[1]), clock_of[c], 3);
	}
	tell("checked");
	check_exits_with(child, 0);
	for (int c = 0; c < clocks; c++) {
		struct itimerspec present;

		/* Of an alarm that was switched off the kernel tells what was left before. */
		if (clock_of[c] == plain(clock_of[c])) {
			check(timerfd_gettime(files[c][0], &present) == 0);
			check(present.it_value.tv_sec == 0 && present.it_value.tv_nsec == 0);
		}
	}
	return passed();
}

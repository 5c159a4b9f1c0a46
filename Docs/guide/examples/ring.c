/* SPDX-License-Identifier: Apache-2.0 */
/* What an MPI library does, in small: RANKS processes in a ring, each with a connection to the next.
 * Before a checkpoint all that was sent is received and kept, then the connections are closed; after
 * it they are made anew. The program above knows of nothing. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <libcr.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RANKS = 3 };

/* What the processes agree on: real libraries have a launcher for that. */
static struct {
	volatile unsigned arrived, round;
	volatile uint16_t port[RANKS];
	volatile unsigned long sent[RANKS];
} *shared;

static int rank, to_right = -1, from_left = -1;
static unsigned long sent, received;
static char kept[1 << 16];
static size_t kept_count;
static cr_client_id_t client;

static void all_are_here(void)
{
	unsigned round = shared->round;

	if (__sync_add_and_fetch(&shared->arrived, 1) == RANKS) {
		shared->arrived = 0;
		shared->round = round + 1;
	}
	while (shared->round == round)
		usleep(500);
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void connect_all(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 1)
	    || getsockname(listener, (struct sockaddr *)&address, &size))
		fail("listen");
	shared->port[rank] = address.sin_port;
	all_are_here();
	address.sin_port = shared->port[(rank + 1) % RANKS];
	to_right = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(to_right, (struct sockaddr *)&address, size))
		fail("connect");
	from_left = accept(listener, NULL, NULL);
	close(listener);
	fcntl(from_left, F_SETFL, O_NONBLOCK);
	sent = received = 0;
	all_are_here();
}

static void receive_what_is_there(void)
{
	ssize_t count = recv(from_left, kept + kept_count, sizeof kept - kept_count, 0);

	if (count > 0) {
		kept_count += (size_t)count;
		received += (unsigned long)count;
	}
}

static int on_checkpoint(void *unused)
{
	(void)unused;
	/* All callbacks of all processes run at the same time, so they may wait for each other. */
	shared->sent[rank] = sent;
	all_are_here();
	while (received < shared->sent[(rank + RANKS - 1) % RANKS])
		receive_what_is_there();
	all_are_here();
	close(to_right);
	close(from_left);
	cr_checkpoint(CR_CHECKPOINT_READY);
	connect_all(); /* going on, restarted, or failed: all the same */
	return 0;
}

/* The library's two calls. Nobody closes a connection within a section; and nobody waits within one
 * for another process, which may be in its callback by then. */
static void send_right(const void *bytes, size_t count)
{
	cr_enter_cs(client);
	if (send(to_right, bytes, count, MSG_NOSIGNAL) != (ssize_t)count)
		fail("send");
	sent += count;
	cr_leave_cs(client);
}

static void receive_left(void *bytes, size_t count)
{
	for (;;) {
		cr_enter_cs(client);
		receive_what_is_there();
		if (kept_count >= count)
			break;
		cr_leave_cs(client);
		usleep(500);
	}
	memcpy(bytes, kept, count);
	kept_count -= count;
	memmove(kept, kept + count, kept_count);
	cr_leave_cs(client);
}

/* The program: a number goes around, and each rank adds one. */
static void compute(void)
{
	long number = 0;

	for (long turn = 1; number >= 0; turn++) {
		if (rank) {
			receive_left(&number, sizeof number);
			number += number >= 0;
			if (number >= 0 || rank < RANKS - 1)
				send_right(&number, sizeof number);
			continue;
		}
		send_right(&number, sizeof number);
		receive_left(&number, sizeof number);
		if (number != turn * (RANKS - 1)) {
			fprintf(stderr, "%ld in turn %ld\n", number, turn);
			exit(1);
		}
		if (turn % 20 == 0) {
			printf("%ld\n", number);
			fflush(stdout);
		}
		if (!access("stop", F_OK)) {
			number = -1;
			send_right(&number, sizeof number);
		}
	}
}

int main(void)
{
	int status, failed = 0;

	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		fail("mmap");
	for (rank = 0; rank < RANKS; rank++) {
		if (fork())
			continue;
		client = cr_init();
		connect_all();
		if (client < 0 || cr_register_callback(on_checkpoint, NULL, CR_THREAD_CONTEXT) < 0)
			fail("libcr");
		all_are_here();
		compute();
		_exit(0);
	}
	for (int child = 0; child < RANKS; child++) {
		wait(&status);
		failed |= status != 0;
	}
	return failed;
}

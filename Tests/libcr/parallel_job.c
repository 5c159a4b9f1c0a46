/* SPDX-License-Identifier: Apache-2.0
 * A job as an MPI library makes it: a launcher and four ranks in a ring of TCP connections, with
 * shared memory beside it. Before a checkpoint the ranks agree on what was sent, receive all of it,
 * and close their sockets; afterwards, whatever became of it, they connect anew. In the end the
 * launcher computes the same alone.
 *
 * argv[1]: the context of the callbacks, thread or signal. argv[2]: how rank 0 asks for a
 * checkpoint into the file `own` when there is a file `ask`: tree, or forward, by the launcher's
 * callback. It ends by itself when there is a file `end`.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include "harness.h"

enum { RANKS = 4, WORDS = 6000 };

/* What all ranks see. */
static struct shared {
	volatile unsigned arrived, round;    /* of the barrier */
	volatile uint64_t sent[RANKS];       /* bytes to the right neighbour */
	volatile uint16_t port[RANKS];
	volatile unsigned turns, restarts, callbacks, in_flight;
	uint64_t block[RANKS][WORDS];        /* the result */
	uint64_t sum;
} *shared;

static int rank, context;
static cr_client_id_t client;

/* One connection each way, and bytes that were received before anybody wanted them. */
static int right = -1, left = -1;
static uint64_t sent, received;
static char queue[1 << 20];
static size_t queued;

static void barrier(void)
{
	unsigned round = shared->round;

	if (__sync_add_and_fetch(&shared->arrived, 1) == RANKS) {
		shared->arrived = 0;
		__sync_add_and_fetch(&shared->round, 1);
		return;
	}
	while (shared->round == round)
		usleep(200);
}

static void connect_ring(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t size = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	check(listener >= 0 && !bind(listener, (void *)&address, size) && !listen(listener, 1));
	check(!getsockname(listener, (void *)&address, &size));
	shared->port[rank] = address.sin_port;
	barrier();
	address.sin_port = shared->port[(rank + 1) % RANKS];
	right = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	check(right >= 0 && !connect(right, (void *)&address, size));
	left = accept(listener, NULL, NULL);
	check(left >= 0 && !fcntl(left, F_SETFD, FD_CLOEXEC) && !close(listener));
	check(!fcntl(left, F_SETFL, O_NONBLOCK) && !fcntl(right, F_SETFL, O_NONBLOCK));
	sent = received = 0;
	barrier();
}

/* Takes what has come from the left. The bytes, 0 if there are none. */
static size_t take(void)
{
	ssize_t count = recv(left, queue + queued, sizeof queue - queued, 0);

	check(count > 0 || (count < 0 && errno == EAGAIN));
	if (count < 0)
		return 0;
	received += (size_t)count;
	queued += (size_t)count;
	return (size_t)count;
}

static int respond(void *unused)
{
	int result;

	(void)unused;
	shared->sent[rank] = sent;
	barrier();
	while (received < shared->sent[(rank + RANKS - 1) % RANKS]) {
		if (take())
			__sync_fetch_and_add(&shared->in_flight, 1);
		else
			usleep(200);
	}
	barrier();
	check(!close(left) && !close(right));
	left = right = -1;
	result = cr_checkpoint(CR_CHECKPOINT_READY);
	check(result == 0 || result == -CR_ETEMPFAIL || result > 0);
	__sync_fetch_and_add(&shared->callbacks, 1);
	if (result > 0 && !rank)
		shared->restarts++;
	connect_ring();
	if (!rank) {
		printf("reconnected %d\n", result);
		fflush(stdout);
	}
	return 0;
}

/* Sends and receives as much as there is room for, without waiting. Nobody closes the sockets in
 * between: callbacks of either context wait for the end of the section. */
static void exchange(const char *out, size_t out_count, size_t *out_done, size_t in_count)
{
	struct pollfd wanted[2];
	ssize_t count = 0;

	while (*out_done < out_count || queued < in_count) {
		check(cr_enter_cs(client) == 0);
		if (*out_done < out_count) {
			count = send(right, out + *out_done, out_count - *out_done, MSG_NOSIGNAL);
			check(count > 0 || (count < 0 && errno == EAGAIN));
			if (count > 0) {
				*out_done += (size_t)count;
				sent += (size_t)count;
			}
		}
		take();
		wanted[0] = (struct pollfd){ left, POLLIN, 0 };
		wanted[1] = (struct pollfd){ *out_done < out_count ? right : -1, POLLOUT, 0 };
		check(cr_leave_cs(client) == 0);
		/* They may be others by now; not for long. */
		if (*out_done < out_count || queued < in_count)
			poll(wanted, 2, 5);
	}
}

static void dequeue(void *into, size_t count)
{
	/* The queue belongs to the callback, too. */
	check(cr_enter_cs(client) == 0 && queued >= count);
	memcpy(into, queue, count);
	queued -= count;
	memmove(queue, queue + count, queued);
	check(cr_leave_cs(client) == 0);
}

static void pass_right(const void *out, void *in, size_t count)
{
	size_t done = 0;

	exchange(out, count, &done, count);
	dequeue(in, count);
}

static void mix(uint64_t *block, const uint64_t *neighbour, uint64_t turn)
{
	for (uint64_t i = 0; i < WORDS; i++)
		block[i] = block[i] * 5 + neighbour[i] * 3 + i + turn;
}

static void fill(uint64_t *block, int number)
{
	for (uint64_t i = 0; i < WORDS; i++)
		block[i] = i * 2654435761u + (uint64_t)number;
}

/* Each rank's block goes to its right; then a sum goes around, with rank 0's wish to end. */
struct token {
	uint64_t sum, is_over;
};

static struct token go_around(const uint64_t *block, int is_over)
{
	struct token mine = { block[0], (uint64_t)is_over }, all = mine, passing = mine;

	for (int hop = 1; hop < RANKS; hop++) {
		struct token from;

		pass_right(&passing, &from, sizeof from);
		all.sum += from.sum;
		all.is_over |= from.is_over;
		passing = from;
	}
	return all;
}

static void ask(const char *way)
{
	static cr_checkpoint_handle_t handle;
	static int is_asked;
	struct timeval none = { 0, 0 };
	cr_checkpoint_args_t args;
	int result;

	if (is_asked) {
		result = cr_poll_checkpoint(&handle, &none);
		if (!result || (result == CR_POLL_CHKPT_ERR_PRE && errno == EINTR))
			return;
		printf("asked %d %s\n", result, result < 0 ? cr_strerror(errno) : "");
		fflush(stdout);
		is_asked = 0;
	} else if (!unlink("ask")) {
		cr_initialize_checkpoint_args_t(&args);
		args.cr_target = getppid();
		args.cr_scope = strcmp(way, "forward") ? CR_SCOPE_TREE : CR_SCOPE_PROC;
		args.cr_fd = open("own", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		check(args.cr_fd >= 0);
		result = cr_request_checkpoint(&args, &handle);
		if (result)
			fprintf(stderr, "request: %s\n", cr_strerror(errno));
		check(!result && !close(args.cr_fd));
		is_asked = 1;
	}
}

static void compute(const char *way)
{
	static uint64_t block[WORDS], neighbour[WORDS];
	struct token token;
	unsigned turn = 0;

	client = cr_init();
	check(client >= 0);
	connect_ring();
	check(cr_register_callback(respond, NULL, context) >= 0);
	barrier();
	fill(block, rank);
	do {
		pass_right(block, neighbour, sizeof block);
		mix(block, neighbour, ++turn);
		if (!rank)
			ask(way);
		token = go_around(block, !rank && !access("end", F_OK));
		if (turn == 5 && !rank) {
			printf("main waits\n");
			fflush(stdout);
		}
		usleep(500);
	} while (!token.is_over);
	memcpy(shared->block[rank], block, sizeof block);
	if (!rank) {
		shared->turns = turn;
		shared->sum = token.sum;
	}
	/* Whoever ends first could be missed at a barrier: nobody asks for a checkpoint now. */
	_exit(0);
}

static int forward(void *unused)
{
	(void)unused;
	check(cr_forward_checkpoint(CR_SCOPE_TREE, getpid()) == 0);
	return 0;
}

static void judge(void)
{
	static uint64_t now[RANKS][WORDS], before[RANKS][WORDS];
	uint64_t sum = 0;

	for (int i = 0; i < RANKS; i++)
		fill(now[i], i);
	for (unsigned turn = 1; turn <= shared->turns; turn++) {
		memcpy(before, now, sizeof now);
		for (int i = 0; i < RANKS; i++)
			mix(now[i], before[(i + RANKS - 1) % RANKS], turn);
	}
	for (int i = 0; i < RANKS; i++)
		sum += now[i][0];
	check(shared->turns > 5 && !memcmp(now, shared->block, sizeof now) && sum == shared->sum);
	printf("right: %u turns, %u callbacks, %u restarts, %u in flight\n", shared->turns,
		shared->callbacks, shared->restarts, shared->in_flight);
}

int main(int argc, char **argv)
{
	pid_t children[RANKS];
	int status;

	check(argc == 3);
	context = strcmp(argv[1], "signal") ? CR_THREAD_CONTEXT : CR_SIGNAL_CONTEXT;
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	check(shared != MAP_FAILED);
	for (rank = 0; rank < RANKS; rank++) {
		children[rank] = fork();
		check(children[rank] >= 0);
		if (!children[rank])
			compute(argv[2]);
	}
	if (!strcmp(argv[2], "forward")) {
		check(cr_init() >= 0);
		check(cr_register_callback(forward, NULL, CR_THREAD_CONTEXT) >= 0);
	}
	for (int i = 0; i < RANKS; i++)
		check(waitpid(children[i], &status, 0) == children[i] && status == 0);
	judge();
	return 0;
}

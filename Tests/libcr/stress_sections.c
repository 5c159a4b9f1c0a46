/* SPDX-License-Identifier: Apache-2.0
 * Threads (argv[1] of them) that enter and leave critical sections without a pause, while somebody
 * saves the program again and again. argv[2]: callbacks: none, or both contexts.
 *
 * What must hold outside of sections is in one place with a mark before it, so that a test can look
 * for it in a context file: nobody inside, equal halves. Nobody may starve: a thread that gets into
 * no section for ten seconds of this program's own time is a failure. Ends well when there is a file
 * `end`.
 */
#include <pthread.h>
#include <sys/mman.h>
#include "harness.h"

enum { MOST = 8, TICK = 20000 /* us */, PATIENCE = 500 /* ticks */ };

static struct state {
	char mark[32];
	volatile long inside;
	volatile long halves[2];
	volatile long own[MOST][2];
} *state;

static cr_spinlock_t lock = CR_SPINLOCK_INITIALIZER;
static volatile int is_over;
static volatile long callbacks, restarts, tries;
static int threads;

static void check_outside(void)
{
	long sum = 0;

	check(state->inside == 0 && state->halves[0] == state->halves[1]);
	for (int i = 0; i < MOST; i++) {
		check(state->own[i][0] == state->own[i][1]);
		sum += state->own[i][0];
	}
	check(sum == state->halves[0]);
}

static int respond(void *is_server)
{
	int result;

	check_outside();
	result = cr_checkpoint(CR_CHECKPOINT_READY);
	check_outside();
	__sync_fetch_and_add(&callbacks, 1);
	if (result > 0 && is_server)
		restarts++;
	return 0;
}

static void change(int me, long turn)
{
	__sync_fetch_and_add(&state->inside, 1);
	state->own[me][0]++;
	cr_spinlock_lock(&lock);
	state->halves[0]++;
	/* Now and then long enough that the others, or a checkpoint, have to wait. */
	if (turn % 512 == 0)
		usleep(100);
	state->halves[1]++;
	cr_spinlock_unlock(&lock);
	state->own[me][1]++;
	__sync_fetch_and_sub(&state->inside, 1);
}

static void *work(void *number)
{
	int me = (int)(long)number;
	cr_client_id_t id = cr_init(), other = cr_init();

	check(id >= 0 && other >= 0);
	for (long turn = 1; !is_over; turn++) {
		if (turn % 3) {
			check(cr_enter_cs(id) == 0);
		} else if (cr_tryenter_cs(id)) {
			tries++;
			continue;
		}
		/* A second one that overlaps the first. */
		if (turn % 5 == 0) {
			check(cr_tryenter_cs(other) == 0 && cr_leave_cs(id) == 0);
			change(me, turn);
			check(cr_leave_cs(other) == 0);
		} else {
			change(me, turn);
			check(cr_leave_cs(id) == 0);
		}
	}
	return NULL;
}

static void watch(void)
{
	long seen[MOST] = { 0 };
	int idle[MOST] = { 0 };

	while (access("end", F_OK)) {
		usleep(TICK);
		for (int i = 0; i < threads; i++) {
			idle[i] = state->own[i][1] == seen[i] ? idle[i] + 1 : 0;
			seen[i] = state->own[i][1];
			if (idle[i] > PATIENCE)
				fprintf(stderr, "thread %d starves\n", i);
			check(idle[i] <= PATIENCE);
		}
	}
}

int main(int argc, char **argv)
{
	pthread_t thread[MOST];

	check(argc == 3 && cr_init() >= 0);
	threads = atoi(argv[1]);
	check(threads >= 1 && threads <= MOST);
	state = mmap(NULL, sizeof *state, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	check(state != MAP_FAILED);
	/* In two pieces, so that it is in no other place. */
	snprintf(state->mark, sizeof state->mark, "%s %s", "halves of", "stress_sections");
	if (strcmp(argv[2], "none")) {
		check(cr_register_callback(respond, "server", CR_THREAD_CONTEXT) >= 0);
		check(cr_register_callback(respond, NULL, CR_SIGNAL_CONTEXT) >= 0);
	}
	for (long i = 0; i < threads; i++)
		check(!pthread_create(&thread[i], NULL, work, (void *)i));
	while (!state->own[threads - 1][1])
		usleep(1000);
	printf("main waits\n");
	fflush(stdout);
	watch();
	is_over = 1;
	for (int i = 0; i < threads; i++)
		check(!pthread_join(thread[i], NULL));
	check_outside();
	printf("right: %ld sections, %ld callbacks, %ld restarts, %ld times kept out\n", state->halves[0],
		callbacks, restarts, tries);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 * What the engine's tests hold still: one program, its first argument says what it does.
 * It prints "ready" when it is so, and what it found at its end.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <time.h>
#include <unistd.h>

static long argument(char **arguments, int index)
{
	return arguments[index] ? atol(arguments[index]) : 0;
}

static void ready(void)
{
	puts("ready");
	fflush(stdout);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void *sleeper(void *nothing)
{
	for (;;)
		pause();
	return nothing;
}

static pthread_t thread(void *(*body)(void *), void *data)
{
	pthread_attr_t attributes;
	pthread_t made;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 65536);
	if (pthread_create(&made, &attributes, body, data) != 0)
		exit(2);
	return made;
}

static void sleepers(char **arguments)
{
	for (long count = argument(arguments, 2); count > 0; count--)
		thread(sleeper, NULL);
	ready();
	sleeper(NULL);
}

static volatile sig_atomic_t uses;

static void note_use(int signal)
{
	(void)signal;
	uses++;
}

static void tell_uses(int signal)
{
	(void)signal;
	dprintf(1, "%d\n", (int)uses);
}

/* Has a use for every signal that would otherwise be ignored; SIGUSR1 asks how many came. */
static void signal_handlers(void)
{
	signal(SIGURG, note_use);
	signal(SIGWINCH, note_use);
	signal(SIGCHLD, note_use);
	signal(SIGUSR1, tell_uses);
	for (int i = 0; i < 3; i++)
		thread(sleeper, NULL);
	ready();
	sleeper(NULL);
}

/* Calls that a handler ends, whatever its SA_RESTART; each says what it returned. */
static void waits_for_handlers(void)
{
	struct epoll_event event;
	int instance = epoll_create1(0);
	sigset_t none;

	sigemptyset(&none);
	signal(SIGUSR1, note_use);
	ready();
	dprintf(1, "pause %d\n", pause() == -1 && errno == EINTR);
	dprintf(1, "sigsuspend %d\n", sigsuspend(&none) == -1 && errno == EINTR);
	dprintf(1, "epoll_wait %d\n", epoll_wait(instance, &event, 1, -1) == -1 && errno == EINTR);
	dprintf(1, "handled %d\n", (int)uses);
}

/* Says when epoll_wait returns, which only a stop that shows could make it do. */
static void epoll_waiter(void)
{
	struct epoll_event event;

	ready();
	dprintf(1, "%d\n", epoll_wait(epoll_create1(0), &event, 1, -1));
}

static void *signal_waiter(void *data)
{
	const sigset_t *signals = data;
	int signal;

	while (sigwait(signals, &signal) == 0)
		dprintf(1, "took one\n");
	return NULL;
}

static void signal_waiters(void)
{
	static sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGURG);
	sigaddset(&signals, SIGWINCH);
	sigaddset(&signals, SIGCHLD);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	for (int i = 0; i < 3; i++)
		thread(signal_waiter, &signals);
	ready();
	signal_waiter(&signals);
}

/* A sum whose every step needs the one before, in integer and floating point registers. */
static void *computation(void *data)
{
	uint64_t *result = data;
	double factor = 1;
	uint64_t sum = *result;

	for (long step = 0; step < 60 * 1000 * 1000; step++) {
		factor = factor * 1.0000001 + 0.5;
		sum = sum * 6364136223846793005u + 1442695040888963407u + (uint64_t)factor;
		if (step % 4096 == 0)
			sum ^= (uint64_t)(syscall(SYS_getppid) & 0);
	}
	*result = sum;
	return NULL;
}

static void compute(char **arguments)
{
	uint64_t results[8] = {1, 2, 3, 4, 5, 6, 7, 8}, sum = 0;
	pthread_t threads[8];
	long count = argument(arguments, 2);

	ready();
	for (long index = 0; index < count; index++)
		threads[index] = thread(computation, &results[index]);
	for (long index = 0; index < count; index++) {
		pthread_join(threads[index], NULL);
		sum = sum * 31 + results[index];
	}
	printf("%lx\n", sum);
}

static void *nothing_to_do(void *data)
{
	return data;
}

static void churn(void)
{
	ready();
	for (;;)
		pthread_join(thread(nothing_to_do, NULL), NULL);
}

static char **own_arguments;

static void *executer(void *nothing)
{
	(void)nothing;
	usleep(200);
	execv("/proc/self/exe", own_arguments);
	exit(3);
}

/* The whole program anew, again and again, from a thread that is not the first. */
static void exec_again(char **arguments)
{
	static char counted[24], *next[] = {"subject", "exec-again", counted, NULL};
	long rest = argument(arguments, 2);

	if (rest == 0) {
		puts("executed");
		return;
	}
	if (arguments[0][0] == '/')
		ready();
	snprintf(counted, sizeof counted, "%ld", rest - 1);
	own_arguments = next;
	thread(sleeper, NULL);
	thread(executer, NULL);
	sleeper(NULL);
}

static void *napper(void *data)
{
	long milliseconds = *(long *)data;
	struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
	double start = now();
	int result = nanosleep(&time, NULL);

	dprintf(1, "%d %.0f\n", result, (now() - start) * 1000);
	return NULL;
}

/* Of so many milliseconds, in so many further threads. */
static void nap(char **arguments)
{
	long milliseconds = argument(arguments, 2), count = argument(arguments, 3);
	pthread_t threads[16];

	ready();
	for (long i = 0; i < count; i++)
		threads[i] = thread(napper, &milliseconds);
	napper(&milliseconds);
	for (long i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
}

static int handled;

static void count_signal(int number)
{
	(void)number;
	__atomic_add_fetch(&handled, 1, __ATOMIC_RELAXED);
}

static void signals(char **arguments)
{
	long wanted = argument(arguments, 2);
	struct timespec second = {1, 0};

	signal(34, count_signal); /* the first real-time signal that glibc leaves free */
	thread(sleeper, NULL);
	thread(sleeper, NULL);
	ready();
	while (__atomic_load_n(&handled, __ATOMIC_RELAXED) < wanted)
		if (nanosleep(&second, NULL) == 0)
			break;
	printf("%d\n", __atomic_load_n(&handled, __ATOMIC_RELAXED));
}

/* Waits with another mask than its own, which must be its own again afterwards. */
static void wait_with_mask(void)
{
	struct timespec time = {0, 600 * 1000 * 1000};
	sigset_t mine, during, after;
	int result;

	sigemptyset(&mine);
	sigaddset(&mine, SIGUSR2);
	sigprocmask(SIG_SETMASK, &mine, NULL);
	sigfillset(&during);
	sigdelset(&during, SIGTERM);
	ready();
	result = ppoll(NULL, 0, &time, &during);
	sigprocmask(SIG_SETMASK, NULL, &after);
	printf("%d %d %d\n", result, sigismember(&after, SIGUSR2), sigismember(&after, SIGTERM));
}

static void *last_thread(void *nothing)
{
	(void)nothing;
	usleep(100000);
	ready();
	sleep(1);
	puts("last");
	exit(0);
}

static void leader_ends(void)
{
	thread(last_thread, NULL);
	pthread_exit(NULL);
}

static void vfork_parent(void)
{
	ready();
	if (vfork() == 0) {
		sleep(3);
		_exit(0);
	}
	puts("after");
}

static void memory(char **arguments)
{
	size_t count = (size_t)argument(arguments, 2) << 20, page = 4096;
	unsigned char *bytes = mmap((void *)0x200000000000, count, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	uint64_t value = 1;

	for (size_t index = 0; index < count / 8; index++) {
		value = value * 6364136223846793005u + 1;
		((uint64_t *)bytes)[index] = value;
	}
	/* Pages that even their owner may not read, and some that it may not write. */
	mprotect(bytes + page, page, PROT_NONE);
	mprotect(bytes + 3 * page, page, PROT_READ);
	ready();
	sleeper(NULL);
}

static void seccomp_filter(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof filter / sizeof *filter, filter};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
	ready();
	sleeper(NULL);
}

int main(int count, char **arguments)
{
	const char *what = count > 1 ? arguments[1] : "";

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!strcmp(what, "sleepers"))
		sleepers(arguments);
	else if (!strcmp(what, "signal-handlers"))
		signal_handlers();
	else if (!strcmp(what, "signal-waiters"))
		signal_waiters();
	else if (!strcmp(what, "waits-for-handlers"))
		waits_for_handlers();
	else if (!strcmp(what, "epoll-waiter"))
		epoll_waiter();
	else if (!strcmp(what, "compute"))
		compute(arguments);
	else if (!strcmp(what, "churn"))
		churn();
	else if (!strcmp(what, "exec-again"))
		exec_again(arguments);
	else if (!strcmp(what, "nap"))
		nap(arguments);
	else if (!strcmp(what, "signals"))
		signals(arguments);
	else if (!strcmp(what, "wait-with-mask"))
		wait_with_mask();
	else if (!strcmp(what, "leader-ends"))
		leader_ends();
	else if (!strcmp(what, "vfork-parent"))
		vfork_parent();
	else if (!strcmp(what, "memory"))
		memory(arguments);
	else if (!strcmp(what, "seccomp"))
		seccomp_filter();
	else
		return 2;
	return 0;
}

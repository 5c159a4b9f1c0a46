/* SPDX-License-Identifier: GPL-2.0-only
 * Treats the control file of the module badly, and looks that nobody is harmed: a program that counts in several
 * threads is held by random requests with random arguments, by two requests at once, and by callers that are killed
 * at any moment. It must count on, in all of its threads, with its registers and its signal mask.
 *   hostile SECONDS SEED
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "blcr_uapi.h"

#define THREADS 3

struct counts {
	volatile uint64_t turns[THREADS];
	volatile int wrong;
};
static struct counts *counts;

static const unsigned long requests[] = {
	CR_HELLO, CR_HOLD, CR_THREADS, CR_REGISTERS, CR_ATTRIBUTE, CR_SIGNALS, CR_SCRATCH, CR_MAKE_CALLS, CR_MEMORY,
	CR_RELEASE, CR_RUN, CR_NEWS, CR_ENROLL, CR_AWAIT, CR_NEXT_PID, CR_ARRIVE, CR_SAVE,
};

static void die(const char *what)
{
	printf("hostile: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Every thread keeps a sum in a register and sleeps now and then; a call that fails without reason is wrong. */
static void *count(void *place)
{
	unsigned index = (unsigned)(uintptr_t)place;
	uint64_t sum = 0, turn;
	sigset_t mask;

	for (turn = 1;; turn++) {
		struct timespec time = { 0, 200000 };
		register uint64_t check = turn * 0x9e3779b97f4a7c15ull;
		int step;

		for (step = 0; step < 1000; step++)
			check = check * 6364136223846793005ull + 1442695040888963407ull;
		sum += check;
		if (check == sum && turn > 1)
			counts->wrong = 1;
		if (turn % 8 == 0 && nanosleep(&time, NULL) && errno != EINTR)
			counts->wrong = 2;
		if (pthread_sigmask(SIG_BLOCK, NULL, &mask) || !sigismember(&mask, SIGUSR2) || sigismember(&mask, SIGTERM))
			counts->wrong = 3;
		counts->turns[index] = turn;
	}
	return NULL;
}

static pid_t start_target(void)
{
	pid_t target = fork();
	pthread_t thread;
	sigset_t mask;
	uintptr_t index;

	if (target)
		return target;
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &mask, NULL);
	for (index = 1; index < THREADS; index++)
		if (pthread_create(&thread, NULL, count, (void *)index))
			_exit(9);
	count(NULL);
	_exit(9);
}

static int open_control(void)
{
	struct cr_hello hello = { .version = CR_UAPI_VERSION };
	int file = open(CR_CONTROL_FILE, O_RDWR | O_CLOEXEC);

	if (file < 0 || ioctl(file, CR_HELLO, &hello))
		die(CR_CONTROL_FILE);
	return file;
}

static uint64_t any(pid_t target, void *memory)
{
	switch (random() % 12) {
	case 0: return 0;
	case 1: return (uint64_t)target;
	case 2: case 3: return (uintptr_t)memory + random() % 8192;
	case 4: return ~0ull;
	case 5: return 1ull << random() % 64;
	case 6: return (uint64_t)getpid();
	case 7: return 1;
	case 8: return 1 + random() % 64;
	case 9: return (uint64_t)random() << 32 | (uint64_t)random();
	case 10: return 0x202;
	default: return (uint64_t)random() % 65536;
	}
}

/* Requests that make sense, so that the others meet a process that is held. */
static void hold(int file, pid_t target)
{
	struct cr_hold hold = { .pid = target, .deadline = ~0ull };
	struct cr_scratch scratch = { .pid = target };
	struct cr_attribute mask = { .tid = target, .which = CR_ATTRIBUTE_MASK };
	struct timespec now;
	unsigned char bytes[1024];
	struct cr_registers registers = { .tid = target, .note = 1, .bytes = (uintptr_t)bytes, .size = sizeof bytes };
	struct cr_sequence sequence = { .tid = target, .count = 1, .registers = (uintptr_t)bytes };
	struct cr_calls calls = { .sequences = (uintptr_t)&sequence, .count = 1 };

	clock_gettime(CLOCK_MONOTONIC, &now);
	hold.deadline = (uint64_t)now.tv_sec * 1000000000ull + 500000000ull;
	if (ioctl(file, CR_HOLD, &hold))
		return;
	if (random() % 2)
		ioctl(file, CR_SCRATCH, &scratch);
	ioctl(file, CR_ATTRIBUTE, &mask);
	ioctl(file, CR_REGISTERS, &registers);
#ifdef __x86_64__
	if (scratch.bell && random() % 2) {
		unsigned char instruction[] = { 0x0f, 0x05 };
		struct cr_memory memory = { .pid = target, .set = 1, .address = scratch.bell - 2,
			.bytes = (uintptr_t)instruction, .size = 2 };
		uint64_t *words = (uint64_t *)bytes;
		static const long harmless[] = { 39, 186, 24, 35, 7 }; /* getpid, gettid, sched_yield, nanosleep, poll */

		ioctl(file, CR_MEMORY, &memory);
		words[10] = (uint64_t)harmless[random() % 5];
		words[14] = words[13] = words[12] = 0;
		if (words[10] == 7)
			words[12] = (uint64_t)(random() % 50);
		words[15] = ~0ull;
		words[16] = scratch.bell - 2;
		sequence.size = registers.size;
		ioctl(file, CR_MAKE_CALLS, &calls);
	}
#endif
}

static void harass(pid_t target, unsigned seed, int forever)
{
	uint8_t *memory = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int file = open_control(), turn;

	srandom(seed);
	for (turn = 0; forever || turn < 200; turn++) {
		uint64_t request[16];
		unsigned long number = requests[random() % (sizeof requests / sizeof *requests)];
		unsigned word;

		if (random() % 4 == 0)
			hold(file, target);
		for (word = 0; word < 16; word++)
			request[word] = random() % 2 ? any(target, memory) : any(target, memory) << 32 | (any(target, memory) & 0xffffffff);
		if (random() % 2)
			((uint32_t *)request)[0] = (uint32_t)target;
		/* What would change the target on purpose is no accident: registers, masks, memory, its calls. */
		if (number == CR_REGISTERS)
			((struct cr_registers *)request)->set = 0;
		if (number == CR_ATTRIBUTE)
			((struct cr_attribute *)request)->set = 0;
		if (number == CR_MEMORY)
			((struct cr_memory *)request)->set = 0;
		if (number == CR_HOLD) {
			((struct cr_hold *)request)->flags &= ~(uint32_t)CR_HOLD_NEW;
			((struct cr_hold *)request)->deadline = random() % 2 ? 0 : 1;
		}
		if (number == CR_NEWS)
			((struct cr_news *)request)->milliseconds &= 15;
		if (number == CR_MAKE_CALLS)
			((struct cr_calls *)request)->count = (uint32_t)random() % 3;
		if (number == CR_ENROLL || number == CR_NEXT_PID)
			continue;
		ioctl(file, number, random() % 16 ? (void *)request : (void *)(uintptr_t)any(target, memory));
	}
	close(file);
}

/* A child that says it will execute a program, and is never waited for: it dies with the request. */
static void enrolled(void)
{
	int file = open_control(), status;
	struct cr_enroll enroll = { { 0 } };
	struct cr_await await;
	pid_t child = fork();

	if (!child) {
		if (ioctl(file, CR_ENROLL, &enroll))
			_exit(8);
		execl("/proc/self/exe", "hostile", "0", "0", NULL);
		_exit(7);
	}
	await.tid = child;
	if (ioctl(file, CR_AWAIT, &await) && errno != ESRCH)
		die("CR_AWAIT");
	close(file);
	if (waitpid(child, &status, 0) != child || !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) {
		printf("hostile: the enrolled child ended with %x\n", status);
		exit(1);
	}
}

static void must_count(pid_t target, const char *after)
{
	uint64_t before[THREADS];
	int index, turn, status;

	for (index = 0; index < THREADS; index++)
		before[index] = counts->turns[index];
	for (index = 0; index < THREADS; index++) {
		for (turn = 0; turn < 6000 && counts->turns[index] == before[index]; turn++)
			usleep(10000);
		if (counts->turns[index] == before[index] || counts->wrong || waitpid(target, &status, WNOHANG)) {
			printf("hostile: after %s thread %d does not count on (wrong: %d)\n", after, index, counts->wrong);
			exit(1);
		}
	}
}

int main(int argc, char **argv)
{
	time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 10);
	unsigned seed = argc > 2 ? (unsigned)atoi(argv[2]) : (unsigned)time(NULL), rounds = 0;
	pid_t target, callers[2];
	int index, status, turn;

	setvbuf(stdout, NULL, _IONBF, 0);
	counts = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	target = start_target();
	must_count(target, "its start");
	printf("hostile: seed %u\n", seed);
	while (time(NULL) < end) {
		for (index = 0; index < 2; index++) {
			callers[index] = fork();
			if (!callers[index]) {
				harass(target, seed + rounds * 2 + (unsigned)index, index);
				_exit(0);
			}
		}
		usleep((useconds_t)(random() % 300000));
		kill(callers[1], SIGKILL);
		for (index = 0; index < 2; index++) {
			/* Some requests wait long, but never for more than a death. */
			for (turn = 0; turn < 200 && !waitpid(callers[index], &status, WNOHANG); turn++)
				usleep(10000);
			if (turn == 200 && (kill(callers[index], SIGKILL) || waitpid(callers[index], &status, 0) != callers[index]))
				die("waitpid");
		}
		must_count(target, "a caller's death");
		enrolled();
		rounds++;
	}
	kill(target, SIGKILL);
	waitpid(target, &status, 0);
	printf("hostile: %u rounds, the target counts on\n", rounds);
	return 0;
}

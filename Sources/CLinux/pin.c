/* SPDX-License-Identifier: Apache-2.0
 * A tracer and the thread that it has make calls, on one CPU; see trace.h.
 */
#include "CLinux.h"

#include <sched.h>

#define MASK_SIZE 1024 /* 8192 CPUs, as many as Linux knows */

/* Of the calling thread, which is the tracer. */
static _Thread_local struct {
	int depth, cpu;
	long size;
	unsigned char own[MASK_SIZE];
} pinned;

static long get_affinity(int tid, void *mask)
{
	return cr_syscall(SYS_sched_getaffinity, tid, MASK_SIZE, (long)mask, 0, 0, 0);
}

static long set_affinity(int tid, const void *mask, long size)
{
	return cr_syscall(SYS_sched_setaffinity, tid, size, (long)mask, 0, 0, 0);
}

static void only(int cpu, unsigned char *mask)
{
	memset(mask, 0, MASK_SIZE);
	mask[cpu / 8] = (unsigned char)(1 << cpu % 8);
}

/* The tracer itself; its CPU, or -1. */
static int begin(void)
{
	unsigned char mask[MASK_SIZE];

	if (pinned.depth > 0) {
		pinned.depth++;
		return pinned.cpu;
	}
	pinned.cpu = sched_getcpu();
	pinned.size = get_affinity(0, pinned.own);
	if (pinned.cpu < 0 || pinned.size <= 0)
		return -1;
	only(pinned.cpu, mask);
	if (set_affinity(0, mask, MASK_SIZE) < 0)
		return -1;
	pinned.depth = 1;
	return pinned.cpu;
}

static void end(void)
{
	if (pinned.depth > 0 && --pinned.depth == 0)
		set_affinity(0, pinned.own, pinned.size);
}

long cr_affinity(int tid, void *before, void *after)
{
	unsigned char mask[MASK_SIZE];
	long size = get_affinity(tid, before);

	if (size <= 0)
		return size;
	memset(mask, 0xff, sizeof mask);
	memcpy(after, before, (size_t)size);
	if (set_affinity(tid, mask, sizeof mask) < 0)
		return -EPERM;
	/* A thread that may use all that its cpuset has is to have that again, and not just those CPUs
	 * of which the cpuset consists today. */
	if (get_affinity(tid, mask) == size && memcmp(mask, before, (size_t)size) == 0)
		memset(after, 0xff, (size_t)size);
	else
		set_affinity(tid, after, size);
	return size;
}

int cr_pin(int tid)
{
	unsigned char mask[MASK_SIZE];
	int cpu = begin();

	if (cpu < 0)
		return -EINVAL;
	only(cpu, mask);
	if (set_affinity(tid, mask, sizeof mask) == 0)
		return 0;
	end();
	return -EINVAL;
}

void cr_unpin(int tid, const void *after, long size)
{
	set_affinity(tid, after, size);
	end();
}

long cr_other_cpus(void *mask, size_t size)
{
	unsigned char *cpus = mask, bit = (unsigned char)(1 << pinned.cpu % 8);
	long filled = cr_usable_cpus(mask, size);
	int others = 0;

	if (filled <= 0 || pinned.depth == 0)
		return filled;
	cpus[pinned.cpu / 8] &= (unsigned char)~bit;
	for (long i = 0; i < filled; i++)
		others |= cpus[i];
	if (!others)
		cpus[pinned.cpu / 8] |= bit;
	return filled;
}

long cr_usable_cpus(void *mask, size_t size)
{
	if (pinned.depth > 0 && (size_t)pinned.size <= size) {
		memcpy(mask, pinned.own, (size_t)pinned.size);
		return pinned.size;
	}
	return cr_syscall(SYS_sched_getaffinity, 0, (long)size, (long)mask, 0, 0, 0);
}

/* SPDX-License-Identifier: Apache-2.0
 * Critical sections: one lock with two classes. Any number of sections may hold it together, and
 * any number of threads that run callbacks; never one of each.
 *
 * Starvation: while a checkpoint waits, an outermost section does not begin. But a thread in a section
 * may need just the one that is kept waiting, so it waits for a time only, a quarter longer each time
 * that this did not help: sections that end by themselves let the checkpoint through, and those that
 * depend on each other go on.
 */
#include "cr.h"

#define FIRST_PATIENCE 20 /* ms */
#define LAST_PATIENCE  20000
#define SLICE          5

static cri_word patience = FIRST_PATIENCE;

static int checkpoint_waits(uint32_t lock)
{
	return (lock & CR_LOCK_WAITED) || CR_PHASE(cri_load(&cri_block.phase)) == CR_PHASE_PENDING;
}

/* The lock and the thread's count change as one to the engine, whose call in between waits for its end: who
 * has the lock must not wait for it in callbacks. A handler of the program's own in between finds no section,
 * and takes and frees the lock once more. */
static int take_section(uint32_t lock)
{
	int taken;

	cri_self.changing++;
	taken = cri_swap(&cri_block.lock, lock, lock + CR_LOCK_SECTION);
	if (taken)
		cri_self.shared.sections++;
	AO_compiler_barrier();
	cri_self.changing--;
	return taken;
}

static uint32_t give_section(void)
{
	uint32_t lock;

	cri_self.changing++;
	cri_self.shared.sections--;
	lock = cri_add(&cri_block.lock, -CR_LOCK_SECTION);
	AO_compiler_barrier();
	cri_self.changing--;
	return lock;
}

/* While callbacks run nobody has a section, so whoever we have interrupted in the midst of such a change has
 * not taken the lock yet, or has given it back. The callbacks may wait for ours. */
static void serve_while_others_run(void)
{
	int changing = cri_self.changing;

	cri_self.changing = 0;
	cri_serve_deferred();
	cri_self.changing = changing;
}

/* Takes the lock for the first section of a thread, and counts it. */
static int lock_section(int try)
{
	unsigned waited = 0;

	for (;;) {
		uint32_t lock = cri_load(&cri_block.lock);
		int running = (lock & CR_LOCK_RUNS) != 0;
		/* Whom we have interrupted may have the lock: to wait for its end would be to wait for ours. */
		int passes = !checkpoint_waits(lock) || waited >= cri_load(&patience) || cri_self.changing;

		if (!running && passes) {
			if (take_section(lock)) {
				uint32_t was = cri_load(&patience);

				if (waited >= was && was < LAST_PATIENCE)
					cri_swap(&patience, was, was + was / 4);
				return 0;
			}
			cri_serve_deferred();
			continue;
		}
		if (running)
			serve_while_others_run();
		if (try)
			return 1;
		/* A copy of the process made by a bare clone(2): what it waits for is not here. */
		if (cri_block.owner != (uint32_t)cri_process()) {
			cri_self.shared.sections++;
			return 0;
		}
		cri_wait_word(&cri_block.lock, lock, SLICE, 1);
		if (!running)
			waited += SLICE;
	}
}

/* As callbacks do: 0 if a section has begun already, whose end is then what is waited for. */
static int exclude_sections(void)
{
	uint32_t lock;

	do {
		lock = cri_load(&cri_block.lock);
		if (lock & CR_LOCK_SECTIONS)
			return 0;
	} while (!cri_swap(&cri_block.lock, lock, lock + CR_LOCK_RUN));
	return 1;
}

/* The engine needs a while to come, longer than anybody's patience if the machine is busy. Until it has
 * come no section begins, or it would never find us without. */
static void arrive_left(void)
{
	/* A handler of the program's own would wait for us if it wanted a section now. */
	cri_mask mask = cri_block_signals();
	uint32_t phase;

	if (exclude_sections()) {
		cri_self.stays = 1;
		cri_begin_arrivals();
		phase = cri_load(&cri_block.phase);
		if (CR_PHASE(phase) == CR_PHASE_PENDING && !cri_arrive(CR_ARRIVES_LEFT, 0))
			cri_swap(&cri_block.phase, phase, CR_PHASE_IDLE);
		cri_end_stay();
	}
	cri_restore_signals(mask);
}

void cri_end_stay(void)
{
	if (!cri_self.stays)
		return;
	cri_self.stays = 0;
	cri_end_arrivals();
	cri_unlock_run();
}

static void unlock_section(void)
{
	uint32_t lock = give_section();

	if (lock & CR_LOCK_SECTIONS)
		return;
	if (lock & CR_LOCK_WAITED)
		cri_wake_word(&cri_block.lock, 1);
	if (CR_PHASE(cri_load(&cri_block.phase)) == CR_PHASE_PENDING) {
		cri_store(&patience, FIRST_PATIENCE);
		arrive_left();
	}
}

void cri_lock_run(void)
{
	for (;;) {
		uint32_t lock = cri_load(&cri_block.lock);

		if (!(lock & CR_LOCK_SECTIONS)) {
			if (cri_swap(&cri_block.lock, lock, (lock & ~CR_LOCK_WAITED) + CR_LOCK_RUN))
				break;
		} else if ((lock & CR_LOCK_WAITED)
			|| cri_swap(&cri_block.lock, lock, lock | CR_LOCK_WAITED)) {
			cri_wait_word(&cri_block.lock, lock | CR_LOCK_WAITED, 1000, 1);
		}
	}
	cri_store(&patience, FIRST_PATIENCE);
}

void cri_unlock_run(void)
{
	if (!(cri_add(&cri_block.lock, -CR_LOCK_RUN) & CR_LOCK_RUNS))
		cri_wake_word(&cri_block.lock, 1);
}

/* The count of an id, NULL if the id is none of this thread's. */
static unsigned *sections_of(cr_client_id_t id)
{
	return id >= 0 && (unsigned)id < cri_self.clients ? &cri_self.sections[id] : NULL;
}

static int enter(cr_client_id_t id, int try)
{
	unsigned *count;

	if (!cri_is_ready())
		return cri_fail(CR_ENOINIT);
	if (id == CR_ID_CALLBACK)
		return cri_self.run ? 0 : cri_fail(EINVAL);
	count = sections_of(id);
	if (!count)
		return cri_fail(EINVAL);
	/* In a callback the checkpoint is ours already. */
	if (cri_self.run)
		return 0;
	if (cri_self.shared.sections)
		cri_self.shared.sections++;
	else if (lock_section(try))
		return 1;
	++*count;
	return 0;
}

int cr_enter_cs(cr_client_id_t id)
{
	return enter(id, 0);
}

int cr_tryenter_cs(cr_client_id_t id)
{
	return enter(id, 1);
}

int cr_leave_cs(cr_client_id_t id)
{
	unsigned *count;

	if (!cri_is_ready())
		return cri_fail(CR_ENOINIT);
	if (id == CR_ID_CALLBACK)
		return cri_self.run ? 0 : cri_fail(EINVAL);
	count = sections_of(id);
	if (!count)
		return cri_fail(EINVAL);
	if (cri_self.run)
		return 0;
	if (!*count)
		return cri_fail(EINVAL);
	--*count;
	if (cri_self.shared.sections > 1) {
		cri_self.shared.sections--;
	} else {
		unlock_section();
		cri_serve_deferred();
	}
	return 0;
}

/* A thread that ends inside a section must not keep everybody from being checkpointed. */
void cri_drop_sections(void)
{
	if (cri_self.shared.sections) {
		cri_self.shared.sections = 1;
		unlock_section();
	}
}

int cr_status(void)
{
	uint32_t lock = cri_load(&cri_block.lock);

	if (!cri_is_ready())
		return cri_fail(CR_ENOINIT);
	if (lock & CR_LOCK_RUNS)
		return CR_STATE_ACTIVE;
	return (lock & CR_LOCK_WAITED) || CR_PHASE(cri_load(&cri_block.phase)) != CR_PHASE_IDLE
		? CR_STATE_PENDING : CR_STATE_IDLE;
}

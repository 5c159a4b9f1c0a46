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

static int lock_section(int try)
{
	unsigned waited = 0;

	for (;;) {
		uint32_t lock = cri_load(&cri_block.lock);
		int running = (lock & CR_LOCK_RUNS) != 0;
		int passes = !checkpoint_waits(lock) || waited >= cri_load(&patience);

		if (!running && passes) {
			if (cri_swap(&cri_block.lock, lock, lock + CR_LOCK_SECTION)) {
				uint32_t was = cri_load(&patience);

				if (waited >= was && was < LAST_PATIENCE)
					cri_swap(&patience, was, was + was / 4);
				return 0;
			}
			continue;
		}
		if (try)
			return 1;
		/* A copy of the process made by a bare clone(2): what it waits for is not here. */
		if (cri_block.owner != (uint32_t)cri_process())
			return 0;
		cri_wait_word(&cri_block.lock, lock, SLICE, 1);
		if (!running)
			waited += SLICE;
	}
}

static void unlock_section(void)
{
	uint32_t lock = cri_add(&cri_block.lock, -CR_LOCK_SECTION);
	uint32_t phase;

	if (lock & CR_LOCK_SECTIONS)
		return;
	if (lock & CR_LOCK_WAITED)
		cri_wake_word(&cri_block.lock, 1);
	if (CR_PHASE(cri_load(&cri_block.phase)) != CR_PHASE_PENDING)
		return;
	cri_store(&patience, FIRST_PATIENCE);
	cri_begin_arrivals();
	phase = cri_load(&cri_block.phase);
	if (CR_PHASE(phase) == CR_PHASE_PENDING && !cri_arrive(CR_ARRIVES_LEFT, 0))
		cri_swap(&cri_block.phase, phase, CR_PHASE_IDLE);
	cri_end_arrivals();
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
	/* The lock before the counts: a handler in between takes and frees it once more. */
	if (!cri_self.shared.sections && lock_section(try))
		return 1;
	cri_self.shared.sections++;
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
	int error = errno;

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
	if (!--cri_self.shared.sections) {
		unlock_section();
		cri_serve_deferred();
	}
	errno = error;
	return 0;
}

/* A thread that ends inside a section must not keep everybody from being checkpointed. */
void cri_drop_sections(void)
{
	if (cri_self.shared.sections) {
		cri_self.shared.sections = 0;
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

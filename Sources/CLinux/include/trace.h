/* SPDX-License-Identifier: Apache-2.0
 * Reaching into other processes: ptrace(2), wait4(2), process_vm_*(2), clone3(2) with set_tid.
 */
#ifndef CR_TRACE_H
#define CR_TRACE_H

#include <linux/userfaultfd.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>
#include <sys/wait.h>

/* ptrace(2) as the kernel has it: PEEK requests store through `data`. */
long cr_ptrace(long request, int tid, unsigned long address, void *data);
/* PTRACE_GETREGSET into `bytes`; the length the kernel gave, or -errno. */
long cr_get_register_set(int tid, unsigned int note, void *bytes, size_t capacity);
long cr_set_register_set(int tid, unsigned int note, const void *bytes, size_t count);
/* PTRACE_PEEKSIGINFO: `count` records of 128 bytes from the `first` on; how many there were. */
long cr_peek_signals(int tid, int shared, uint64_t first, void *records, int count);

struct cr_rseq {
	uint64_t area;
	uint32_t length, signature;
};
/* PTRACE_GET_RSEQ_CONFIGURATION, Linux 5.13. */
long cr_get_rseq(int tid, struct cr_rseq *rseq);

/* wait4(2) for one task of any kind (__WALL); its id, 0 with WNOHANG, or -errno. */
long cr_wait_task(int tid, int *status, int options);

long cr_read_memory(int pid, void *bytes, uint64_t address, size_t count);
long cr_write_memory(int pid, const void *bytes, uint64_t address, size_t count);

/* userfaultfd's ioctl numbers, which are macros that Swift cannot import. */
enum { CR_UFFD_API = 0xaa };
static inline unsigned long cr_uffdio_api_request(void) { return UFFDIO_API; }
static inline unsigned long cr_uffdio_register_request(void) { return UFFDIO_REGISTER; }
static inline unsigned long cr_uffdio_unregister_request(void) { return UFFDIO_UNREGISTER; }
static inline unsigned long cr_uffdio_copy_request(void) { return UFFDIO_COPY; }
static inline unsigned long cr_uffdio_zero_request(void) { return UFFDIO_ZEROPAGE; }
static inline unsigned long cr_uffdio_wake_request(void) { return UFFDIO_WAKE; }

/* Runs `task(argument)` in a thread of its own; an opaque handle for cr_join, or 0. */
uint64_t cr_start_thread(void *(*task)(void *), void *argument);
void cr_join_thread(uint64_t handle);

/* What a new process of ours is to be; see cr_spawn. */
struct cr_spawn_request {
	int pid;              /* wanted pid, 0 for any */
	int exit_signal;      /* clone3's */
	int new_session;      /* setsid(2) first */
	unsigned int personality;
	const char *path;     /* to execute; NULL: sleeps until it is killed */
	unsigned int options; /* PTRACE_O_*, set by PTRACE_SEIZE before the exec */
	int control;          /* the kernel module's control file, which holds it instead; or -1 */
};

/*
 * Makes a child of this process, seizes it, and lets it execute `path`, so that it stops with
 * PTRACE_EVENT_EXEC before its first instruction. Its pid, or -errno of the first step that
 * failed; a child whose exec failed is gone.
 */
long cr_spawn(const struct cr_spawn_request *request);

/*
 * PTRACE_SEIZE waits for an exec of the target (both take its cred_guard_mutex), and the exec waits
 * until the threads it ended have been waited for, which only their tracer can do: we, who are in
 * PTRACE_SEIZE. From begin to end a timer interrupts the calling thread now and then, to wait for
 * the ended ones among the threads noted. Uses SIGALRM; a caller's handler for it is replaced.
 */
void cr_reaper_begin(void);
void cr_reaper_note(int tid);
/* How many were waited for. */
int cr_reaper_end(void);

/* Whether wait(2) would report something of a traced thread, which stays unreported. */
int cr_task_has_news(int tid);

/* Waits for one traced thread if it has ended; whether it had. */
int cr_reap_ended(int tid);

/*
 * Binds a stopped thread, and the calling one, to the CPU that the caller is on: a call that a thread
 * is made to do takes two switches, and between two CPUs each of them waits for an idle one to wake up
 * (58 us instead of 8 where it was measured, in a virtual machine).
 *
 * Fails, with nothing changed, where the thread may not be on that CPU.
 */
int cr_pin(int tid);
/* Gives a bound thread the mask that cr_affinity told for afterwards. */
void cr_unpin(int tid, const void *after, long size);
/* Which CPUs a thread may use, and what to give it so that it may again: all of them if it was not
 * restricted within its cpuset. Both masks have room for 1024 bytes. Their size, or -errno. */
long cr_affinity(int tid, void *before, void *after);
/* The CPUs of the calling thread as if it were not bound; the mask's size in bytes, or -errno. */
long cr_usable_cpus(void *mask, size_t size);
/* The same without the one that it is bound to, if there is another. */
long cr_other_cpus(void *mask, size_t size);

#endif

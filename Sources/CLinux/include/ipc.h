/* SPDX-License-Identifier: Apache-2.0
 * System V IPC of this process; the structures differ by machine. Everything returns -errno, never
 * sets errno.
 */
#ifndef CR_IPC_H
#define CR_IPC_H

#include <stddef.h>
#include <stdint.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/shm.h>

/* shmat(2): the address. */
long cr_shm_attach(int id, int flags);
long cr_shm_detach(void *address);
/* IPC_SET: owner and mode; IPC_RMID; SHM_LOCK. */
long cr_shm_set(int id, uint32_t user, uint32_t group, uint32_t mode);
long cr_shm_remove(int id);
long cr_shm_lock(int id);

/* GETALL and SETALL: one number for each semaphore of the set. */
long cr_sem_values(int id, uint16_t *values);
long cr_sem_set_values(int id, const uint16_t *values);
/* GETPID, GETNCNT, GETZCNT of one semaphore. */
long cr_sem_ask(int id, int number, int command);
long cr_sem_set(int id, uint32_t user, uint32_t group, uint32_t mode);
long cr_sem_remove(int id);

/* The bytes that a queue may hold (msg_qbytes). */
long cr_msg_capacity(int id, uint64_t *capacity);
long cr_msg_set(int id, uint32_t user, uint32_t group, uint32_t mode, uint64_t capacity);
long cr_msg_remove(int id);
/* A copy of the message at this place (MSG_COPY), up to `size` bytes of it: how many, and its type. */
long cr_msg_copy(int id, long place, int64_t *type, void *bytes, size_t size);
/* None of them waits. */
long cr_msg_send(int id, int64_t type, const void *bytes, size_t size);
/* Takes the first message and forgets it. */
long cr_msg_drop(int id);

#endif

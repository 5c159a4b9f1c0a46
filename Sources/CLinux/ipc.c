/* SPDX-License-Identifier: Apache-2.0 */
#include "CLinux.h"
#include <stdlib.h>
#include <sys/msg.h>

#ifndef MSG_COPY
#define MSG_COPY 040000
#endif

union argument {
	int value;
	struct semid_ds *buffer;
	unsigned short *array;
};

/* The kernel's form of a message. */
struct message {
	long type;
	char bytes[];
};

static long result(long value)
{
	return value < 0 ? -errno : value;
}

long cr_shm_attach(int id, int flags)
{
	void *address = shmat(id, NULL, flags);

	return address == (void *)-1 ? -errno : (long)address;
}

long cr_shm_detach(void *address)
{
	return result(shmdt(address));
}

long cr_shm_set(int id, uint32_t user, uint32_t group, uint32_t mode)
{
	struct shmid_ds wanted = { .shm_perm = { .uid = user, .gid = group, .mode = mode } };

	return result(shmctl(id, IPC_SET, &wanted));
}

long cr_shm_remove(int id)
{
	return result(shmctl(id, IPC_RMID, NULL));
}

long cr_shm_lock(int id)
{
	return result(shmctl(id, SHM_LOCK, NULL));
}

long cr_sem_values(int id, uint16_t *values)
{
	return result(semctl(id, 0, GETALL, (union argument){ .array = values }));
}

long cr_sem_set_values(int id, const uint16_t *values)
{
	return result(semctl(id, 0, SETALL, (union argument){ .array = (unsigned short *)values }));
}

long cr_sem_ask(int id, int number, int command)
{
	return result(semctl(id, number, command, (union argument){ .value = 0 }));
}

long cr_sem_set(int id, uint32_t user, uint32_t group, uint32_t mode)
{
	struct semid_ds wanted = { .sem_perm = { .uid = user, .gid = group, .mode = mode } };

	return result(semctl(id, 0, IPC_SET, (union argument){ .buffer = &wanted }));
}

long cr_sem_remove(int id)
{
	return result(semctl(id, 0, IPC_RMID, (union argument){ .value = 0 }));
}

long cr_msg_capacity(int id, uint64_t *capacity)
{
	struct msqid_ds present;
	long outcome = result(msgctl(id, IPC_STAT, &present));

	if (outcome >= 0)
		*capacity = present.msg_qbytes;
	return outcome;
}

long cr_msg_set(int id, uint32_t user, uint32_t group, uint32_t mode, uint64_t capacity)
{
	struct msqid_ds wanted = { .msg_perm = { .uid = user, .gid = group, .mode = mode },
		.msg_qbytes = capacity };

	return result(msgctl(id, IPC_SET, &wanted));
}

long cr_msg_remove(int id)
{
	return result(msgctl(id, IPC_RMID, NULL));
}

long cr_msg_copy(int id, long place, int64_t *type, void *bytes, size_t size)
{
	struct message *message = malloc(sizeof *message + size);
	long count;

	if (!message)
		return -ENOMEM;
	count = result(msgrcv(id, message, size, place, MSG_COPY | IPC_NOWAIT | MSG_NOERROR));
	if (count >= 0) {
		*type = message->type;
		memcpy(bytes, message->bytes, count);
	}
	free(message);
	return count;
}

long cr_msg_send(int id, int64_t type, const void *bytes, size_t size)
{
	struct message *message = malloc(sizeof *message + size);
	long outcome;

	if (!message)
		return -ENOMEM;
	message->type = type;
	memcpy(message->bytes, bytes, size);
	outcome = result(msgsnd(id, message, size, IPC_NOWAIT));
	free(message);
	return outcome;
}

long cr_msg_drop(int id)
{
	struct message message;

	return result(msgrcv(id, &message, 0, 0, IPC_NOWAIT | MSG_NOERROR));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/sysv_message_queue.c
 * A System V message queue with a key: messages of several types and sizes in their order, who sent and
 * received last, its capacity; a child that waits for a type goes on waiting. A second queue is full,
 * and a child waits to send to it.
 */
#include "scenario.h"
#include <sys/ipc.h>
#include <sys/msg.h>

struct message {
	long type;
	char bytes[4096];
};

static struct message message;

static void send(int queue, long type, size_t size, int flags)
{
	message.type = type;
	fill(message.bytes, size, type);
	check(msgsnd(queue, &message, size, flags) == 0);
}

static void receive(int queue, long type, long is, size_t size)
{
	check(msgrcv(queue, &message, sizeof message.bytes, type, 0) == (ssize_t)size);
	check(message.type == is && is_filled(message.bytes, size, is));
}

int main(void)
{
	key_t key = 0x43540000 + getpid();
	int queue = msgget(key, IPC_CREAT | IPC_EXCL | 0640), small = msgget(IPC_PRIVATE, 0600);
	struct msqid_ds state;
	pid_t reader, writer;

	check(queue >= 0 && small >= 0);
	check(msgctl(small, IPC_STAT, &state) == 0);
	state.msg_qbytes = 5000;
	check(msgctl(small, IPC_SET, &state) == 0);
	send(queue, 30, 0, 0);
	send(queue, 3, 100, 0);
	send(queue, 2, 4096, 0);
	send(queue, 3, 101, 0);
	send(queue, 1, 1, 0);
	receive(queue, 30, 30, 0);
	send(small, 5, 4000, 0);
	reader = fork();
	if (reader == 0) {
		receive(queue, 77, 77, 7);
		_exit(0);
	}
	writer = fork();
	if (writer == 0) {
		send(small, 6, 3000, 0);
		_exit(0);
	}
	await_blocked_in(reader, SYS_msgrcv);
	await_blocked_in(writer, SYS_msgsnd);
	checkpoint_here();
	await_blocked_in(reader, SYS_msgrcv);
	await_blocked_in(writer, SYS_msgsnd);
	check(msgget(key, 0) == queue);
	check(msgctl(queue, IPC_STAT, &state) == 0);
	check(state.msg_qnum == 4 && state.msg_cbytes == 4096 + 202);
	check((state.msg_perm.mode & 0777) == 0640 && state.msg_perm.uid == getuid());
	check(state.msg_lspid == getpid() && state.msg_lrpid == getpid());
	check(msgctl(small, IPC_STAT, &state) == 0 && state.msg_qbytes == 5000 && state.msg_qnum == 1);
	send(queue, 77, 7, 0);
	check_exits_with(reader, 0);
	receive(queue, 3, 3, 100);
	receive(queue, -2, 1, 1);
	receive(queue, 0, 2, 4096);
	receive(queue, 0, 3, 101);
	receive(small, 0, 5, 4000);
	check_exits_with(writer, 0);
	receive(small, 0, 6, 3000);
	check(msgrcv(queue, &message, 0, 0, IPC_NOWAIT) < 0 && errno == ENOMSG);
	check(msgctl(queue, IPC_RMID, NULL) == 0 && msgctl(small, IPC_RMID, NULL) == 0);
	return passed();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A connection to a server outside of the job, as licence servers have them: given back before the
 * program is saved, taken again afterwards, and what was under way meanwhile waits. */
#include <arpa/inet.h>
#include <libcr.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int connection = -1;
static int port;

static int take_licence(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(connection, (struct sockaddr *)&address, sizeof address)) {
		close(connection);
		connection = -1;
	}
	return connection;
}

/* Asks the server; 0 if it has no answer. */
static int ask(const char *question)
{
	char answer[16];
	ssize_t count = 0;

	pthread_mutex_lock(&lock);
	if (connection >= 0 || take_licence() >= 0)
		if (send(connection, question, strlen(question), MSG_NOSIGNAL) > 0)
			count = recv(connection, answer, sizeof answer, 0);
	pthread_mutex_unlock(&lock);
	return count > 0;
}

static int on_checkpoint(void *unused)
{
	(void)unused;
	/* Waits for a question that is under way. The thread that has the lock runs still. */
	pthread_mutex_lock(&lock);
	close(connection);
	connection = -1;
	if (cr_checkpoint(CR_CHECKPOINT_READY) >= 0)
		take_licence(); /* if that fails the next question tries again */
	pthread_mutex_unlock(&lock);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 2 || cr_init() < 0)
		return 1;
	port = atoi(argv[1]);
	if (cr_register_callback(on_checkpoint, NULL, CR_THREAD_CONTEXT) < 0)
		return 1;
	for (long done = 0; access("stop", F_OK); done += ask("may I?\n")) {
		printf("%ld\n", done);
		fflush(stdout);
		usleep(10000);
	}
	return 0;
}

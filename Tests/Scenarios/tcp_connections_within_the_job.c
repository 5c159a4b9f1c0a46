/* SPDX-License-Identifier: Apache-2.0 */
/* Tests/Scenarios/tcp_connections_within_the_job.c
 * TCP over loopback between processes of the job, IPv4, IPv6 and IPv4 to a dual-stack server: both
 * names, bytes under way both ways, a half that is shut down, an end that is closed, options, and
 * a reader that is blocked. The server listens on.
 */
#include "scenario.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

struct connection {
	int client, server;
	struct sockaddr_in6 names[4];
};

static void names_of(const struct connection *it, struct sockaddr_in6 names[4])
{
	memset(names, 0, 4 * sizeof names[0]);
	for (int i = 0; i < 4; i++) {
		int file = i & 2 ? it->server : it->client;
		socklen_t size = sizeof names[i];

		check((i & 1 ? getpeername : getsockname)(file, (void *)&names[i], &size) == 0);
	}
}

static int server(int family)
{
	struct sockaddr_in6 address = { .sin6_family = family };
	int file = socket(family, SOCK_STREAM, 0);

	check(setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)) == 0);
	check(bind(file, (void *)&address, family == AF_INET ? 16 : sizeof address) == 0);
	check(listen(file, 10) == 0);
	return file;
}

static struct connection connection(int family, int listener)
{
	struct sockaddr_in6 address = { .sin6_family = family, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_in6 there;
	struct connection made = { .client = socket(family, SOCK_STREAM, 0) };

	check(getsockname(listener, (void *)&there, &(socklen_t){ sizeof there }) == 0);
	address.sin6_port = there.sin6_port;
	if (family == AF_INET)
		((struct sockaddr_in *)&address)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	check(connect(made.client, (void *)&address, family == AF_INET ? 16 : sizeof address) == 0);
	made.server = accept(listener, NULL, NULL);
	check(made.server >= 0);
	names_of(&made, made.names);
	return made;
}

static void put(int file, const char *text)
{
	check(send(file, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text));
}

static void expect(int file, const char *text)
{
	char got[64];

	check(recv(file, got, strlen(text), MSG_WAITALL) == (ssize_t)strlen(text));
	check(memcmp(got, text, strlen(text)) == 0);
}

static bool is_empty(int file)
{
	return recv(file, &(char){ 0 }, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN;
}

static void check_alive(struct connection *it)
{
	struct sockaddr_in6 names[4];

	names_of(it, names);
	check(memcmp(names, it->names, sizeof names) == 0);
	check(is_empty(it->client) && is_empty(it->server));
	put(it->client, "there"), expect(it->server, "there");
	put(it->server, "and back"), expect(it->client, "and back");
}

int main(void)
{
	enum { much = 60000 };
	int four = server(AF_INET), six = server(AF_INET6), value;
	struct connection plain = connection(AF_INET, four), second = connection(AF_INET, four);
	struct connection new = connection(AF_INET6, six), mixed = connection(AF_INET, six);
	struct connection half = connection(AF_INET, four), left = connection(AF_INET, four);
	struct connection shared = connection(AF_INET, four), idle;
	char *bytes = memory(much);
	pid_t child;

	put(plain.client, "to the "), put(plain.client, "server"), put(plain.server, "to the client");
	fill(bytes, much, 21);
	check(send(second.server, bytes, much, MSG_DONTWAIT) == much);
	put(new.client, "new"), put(mixed.server, "mixed");
	put(half.client, "the end");
	check(shutdown(half.client, SHUT_WR) == 0);
	put(left.server, "left behind");
	check(close(left.server) == 0);
	value = 1;
	check(setsockopt(plain.client, IPPROTO_TCP, TCP_NODELAY, &value, sizeof value) == 0);
	check(setsockopt(plain.server, SOL_SOCKET, SO_KEEPALIVE, &value, sizeof value) == 0);
	check(fcntl(plain.client, F_SETFL, O_NONBLOCK) == 0);
	child = fork();
	if (child == 0) {
		expect(shared.server, "wake");
		put(shared.server, "awake");
		_exit(14);
	}
	await_blocked_in(child, SYS_recvfrom);
	checkpoint_here();

	check(fcntl(plain.client, F_GETFL) == (O_RDWR | O_NONBLOCK) && fcntl(plain.server, F_GETFL) == O_RDWR);
	expect(plain.server, "to the server"), expect(plain.client, "to the client");
	memset(bytes, 0, much);
	check(recv(second.client, bytes, much, MSG_WAITALL) == much && is_filled(bytes, much, 21));
	expect(new.server, "new"), expect(mixed.client, "mixed");
	check_alive(&plain), check_alive(&second), check_alive(&new), check_alive(&mixed);
	expect(half.server, "the end");
	check(recv(half.server, bytes, 1, 0) == 0);
	check(send(half.client, "x", 1, MSG_NOSIGNAL) == -1 && errno == EPIPE);
	put(half.server, "still heard"), expect(half.client, "still heard");
	expect(left.client, "left behind");
	check(recv(left.client, bytes, 1, 0) == 0);
	check(getsockopt(plain.client, IPPROTO_TCP, TCP_NODELAY, &value, &(socklen_t){ sizeof value }) == 0);
	check(value == 1);
	check(getsockopt(plain.server, SOL_SOCKET, SO_KEEPALIVE, &value, &(socklen_t){ sizeof value }) == 0);
	check(value == 1);
	check(getsockopt(plain.server, IPPROTO_TCP, TCP_NODELAY, &value, &(socklen_t){ sizeof value }) == 0);
	check(value == 0);
	idle = connection(AF_INET, four), check_alive(&idle);
	idle = connection(AF_INET6, six), check_alive(&idle);
	put(shared.client, "wake"), expect(shared.client, "awake");
	check_exits_with(child, 14);
	return passed();
}

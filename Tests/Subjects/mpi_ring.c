/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers go around a ring of ranks, in small and big messages, and are summed up over all of them: each
 * message is part of the answer. After each quarter of the rounds the first rank waits for a file gate.N. */
#include <mpi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { most = 1 << 18 };

static uint64_t mixed(uint64_t number)
{
	return (number ^ number >> 29) * 0xbf58476d1ce4e5b9u;
}

static uint64_t passed_on(int round, int rank, int size, const uint64_t *out, uint64_t *in, uint64_t sum)
{
	int counts[] = { 8, 4000, most }, count = counts[round % 3];
	MPI_Request requests[2];
	MPI_Status ends[2];

	MPI_Irecv(in, count, MPI_UINT64_T, (rank + size - 1) % size, round, MPI_COMM_WORLD, &requests[0]);
	MPI_Isend(out, count, MPI_UINT64_T, (rank + 1) % size, round, MPI_COMM_WORLD, &requests[1]);
	MPI_Waitall(2, requests, ends);
	for (int i = 0; i < count; i++)
		sum = mixed(sum + in[i]);
	return sum;
}

static void pass_gate(int number)
{
	char name[32];

	snprintf(name, sizeof name, "gate.%d", number);
	while (access(name, F_OK))
		usleep(2000);
}

int main(int argc, char **argv)
{
	uint64_t *out = malloc(most * sizeof *out), *in = malloc(most * sizeof *in), sum = 0, all;
	int rounds = atoi(argv[1]), rank, size;

	MPI_Init(&argc, &argv);
	MPI_Comm_rank(MPI_COMM_WORLD, &rank);
	MPI_Comm_size(MPI_COMM_WORLD, &size);
	for (int i = 0; i < most; i++)
		out[i] = mixed(rank + i * 7919u);
	for (int round = 0; round < rounds; round++) {
		out[0] = mixed(sum + round);
		sum = passed_on(round, rank, size, out, in, sum);
		MPI_Allreduce(&sum, &all, 1, MPI_UINT64_T, MPI_BXOR, MPI_COMM_WORLD);
		sum += all;
		if (round % (rounds / 8) == 2 && rank == 0) {
			printf("begun, round %d: %016llx\n", round, (unsigned long long)all);
			fflush(stdout);
		}
		if ((round + 1) % (rounds / 4) == 0 && rank == 0)
			pass_gate((round + 1) / (rounds / 4));
	}
	printf("rank %d of %d: %016llx\n", rank, size, (unsigned long long)sum);
	fflush(stdout);
	return MPI_Finalize();
}

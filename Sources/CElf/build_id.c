/* SPDX-License-Identifier: Apache-2.0 */
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <errno.h>
#include "CElf.h"

/* Enough for the ELF header, the program headers and, nearly always, the notes behind them: linkers
 * put .note.gnu.build-id on the first page. */
#define FIRST_BYTES 4096
#define MOST_NOTES 65536

/* The build-id among notes of `size` bytes; 0 if it is not there. */
static long find(const char *notes, size_t size, size_t alignment, int swapped, void *buffer,
	size_t room)
{
	size_t at = 0;

	while (size - at >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr note;
		size_t name, description, next;

		/* Both classes and notes of every file have this header of three words. */
		memcpy(&note, notes + at, sizeof(note));
		if (swapped) {
			note.n_namesz = __builtin_bswap32(note.n_namesz);
			note.n_descsz = __builtin_bswap32(note.n_descsz);
			note.n_type = __builtin_bswap32(note.n_type);
		}
		name = at + sizeof(note);
		if (note.n_namesz > size - name)
			return 0;
		description = (name + note.n_namesz + alignment - 1) & ~(alignment - 1);
		if (description > size || note.n_descsz > size - description)
			return 0;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof("GNU")
			&& !memcmp(notes + name, "GNU", sizeof("GNU"))) {
			memcpy(buffer, notes + description,
				note.n_descsz < room ? note.n_descsz : room);
			return note.n_descsz;
		}
		next = (description + note.n_descsz + alignment - 1) & ~(alignment - 1);
		if (next > size)
			return 0;
		at = next;
	}
	return 0;
}

/* The notes of one segment, from the bytes already read if they are there. */
static long search(int fd, const char *first, size_t first_size,
	const struct cr_elf_segment *segment, int swapped, void *buffer, size_t room)
{
	size_t size = segment->file_size < MOST_NOTES ? segment->file_size : MOST_NOTES;
	size_t alignment = segment->alignment == 8 ? 8 : 4;
	char *notes;
	long found = 0;
	ssize_t count;

	if (segment->offset <= first_size && size <= first_size - segment->offset)
		return find(first + segment->offset, size, alignment, swapped, buffer, room);
	if (segment->offset > INT64_MAX - MOST_NOTES)
		return 0;
	notes = malloc(size);
	if (!notes)
		return -ENOMEM;
	count = pread(fd, notes, size, (off_t)segment->offset);
	if (count > 0)
		found = find(notes, (size_t)count, alignment, swapped, buffer, room);
	else if (count < 0)
		found = -errno;
	free(notes);
	return found;
}

long cr_elf_build_id(int fd, void *buffer, size_t size)
{
	/* Called for every mapped file of a process that stands still, so nothing is allocated and
	 * nearly always one page is read: 3 us with open and close. */
	char first[FIRST_BYTES] __attribute__((aligned(8)));
	struct cr_elf_segment segments[64];
	struct cr_elf_header header;
	size_t count, i;
	ssize_t got = pread(fd, first, sizeof(first), 0);
	const uint16_t one = 1;
	int swapped;

	if (got < 0)
		return errno == EISDIR || errno == EINVAL || errno == ESPIPE ? 0 : -errno;
	if (cr_elf_get_header(first, (size_t)got, &header))
		return 0;
	swapped = (*(const uint8_t *)&one ? ELFDATA2LSB : ELFDATA2MSB) != header.form.byte_order;
	count = header.program_header_count;
	if (count > 64)
		count = 64;
	if (header.program_header_offset > (size_t)got)
		return 0;
	if (cr_elf_get_segments(header.form, first + header.program_header_offset,
		(size_t)got - header.program_header_offset, segments, count))
		return 0;
	for (i = 0; i < count; i++) {
		long found;

		if (segments[i].type != PT_NOTE)
			continue;
		found = search(fd, first, (size_t)got, &segments[i], swapped, buffer, size);
		if (found)
			return found;
	}
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 * ELF headers through libelf: one form for every class and byte order, and build-ids.
 *
 * Errors are -errno as everywhere; CR_NOT_ELF where the bytes are no such thing.
 */
#ifndef CR_ELF_H
#define CR_ELF_H

#include <stddef.h>
#include <stdint.h>

/* A file whose bytes are not what an ELF header promises (outside the range of errno). */
#define CR_NOT_ELF (-5000)

/* Class (1: 32 bits, 2: 64 bits) and data (1: little endian, 2: big) as in e_ident. */
struct cr_elf_form {
	uint8_t class_of_words, byte_order;
	uint16_t machine;
};

/* What is variable in the header of a core file; everything else follows. */
struct cr_elf_header {
	struct cr_elf_form form;
	uint16_t type;
	uint64_t program_header_offset, section_header_offset;
	/* The true number; above 65534 it goes to section header 0 (PN_XNUM, elf(5)). */
	uint32_t program_header_count;
	uint32_t flags;
};

struct cr_elf_segment {
	uint32_t type, flags;
	uint64_t offset, address, file_size, memory_size, alignment;
};

size_t cr_elf_header_size(uint8_t class_of_words);
size_t cr_elf_segment_size(uint8_t class_of_words);
size_t cr_elf_section_size(uint8_t class_of_words);

/* Encode into out, which has the sizes above (count times for segments). 0 or CR_NOT_ELF when a
 * value does not fit the class. */
int cr_elf_put_header(const struct cr_elf_header *header, void *out);
int cr_elf_put_segments(struct cr_elf_form form, const struct cr_elf_segment *segments,
	size_t count, void *out);
/* Section header 0, which only carries a program_header_count above 65534. */
int cr_elf_put_count_section(const struct cr_elf_header *header, void *out);

/* Decode. `size` bytes are there to be read; count of segments is left 65535 where the file says
 * PN_XNUM, to be completed by cr_elf_get_count_section. 0 or CR_NOT_ELF. */
int cr_elf_get_header(const void *bytes, size_t size, struct cr_elf_header *header);
int cr_elf_get_segments(struct cr_elf_form form, const void *bytes, size_t size,
	struct cr_elf_segment *segments, size_t count);
int cr_elf_get_count_section(struct cr_elf_form form, const void *bytes, size_t size,
	uint32_t *count);

/* NT_GNU_BUILD_ID of an open ELF file: its length, 0 if it has none or is no ELF file, -errno. At
 * most `size` bytes are stored. Reads a few pages and leaves the file position alone. */
long cr_elf_build_id(int fd, void *buffer, size_t size);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include <gelf.h>
#include <libelf.h>
#include <string.h>
#include "CElf.h"

/* One of the two translations that libelf has for every structure: chosen by the class. */
static int translate_out(uint8_t class_of_words, uint8_t order, Elf_Type type, void *from,
	size_t from_size, void *to, size_t to_size)
{
	Elf_Data source = { .d_buf = from, .d_type = type, .d_version = EV_CURRENT,
		.d_size = from_size };
	Elf_Data target = { .d_buf = to, .d_type = type, .d_version = EV_CURRENT,
		.d_size = to_size };
	Elf_Data *done;

	elf_version(EV_CURRENT);
	done = class_of_words == ELFCLASS32 ? elf32_xlatetof(&target, &source, order)
		: elf64_xlatetof(&target, &source, order);
	return done ? 0 : CR_NOT_ELF;
}

static int translate_in(uint8_t class_of_words, uint8_t order, Elf_Type type, const void *from,
	size_t from_size, void *to, size_t to_size)
{
	Elf_Data source = { .d_buf = (void *)from, .d_type = type, .d_version = EV_CURRENT,
		.d_size = from_size };
	Elf_Data target = { .d_buf = to, .d_type = type, .d_version = EV_CURRENT,
		.d_size = to_size };
	Elf_Data *done;

	elf_version(EV_CURRENT);
	done = class_of_words == ELFCLASS32 ? elf32_xlatetom(&target, &source, order)
		: elf64_xlatetom(&target, &source, order);
	return done ? 0 : CR_NOT_ELF;
}

size_t cr_elf_header_size(uint8_t class_of_words)
{
	return class_of_words == ELFCLASS32 ? sizeof(Elf32_Ehdr) : sizeof(Elf64_Ehdr);
}

size_t cr_elf_segment_size(uint8_t class_of_words)
{
	return class_of_words == ELFCLASS32 ? sizeof(Elf32_Phdr) : sizeof(Elf64_Phdr);
}

size_t cr_elf_section_size(uint8_t class_of_words)
{
	return class_of_words == ELFCLASS32 ? sizeof(Elf32_Shdr) : sizeof(Elf64_Shdr);
}

static int too_many(const struct cr_elf_header *header)
{
	return header->program_header_count >= PN_XNUM;
}

/* The same assignments for both classes, whose structures differ only in the width of fields. */
#define FILL_HEADER(e, class_bits) do { \
	memcpy((e).e_ident, ELFMAG, SELFMAG); \
	(e).e_ident[EI_CLASS] = h->form.class_of_words; \
	(e).e_ident[EI_DATA] = h->form.byte_order; \
	(e).e_ident[EI_VERSION] = EV_CURRENT; \
	(e).e_type = h->type; \
	(e).e_machine = h->form.machine; \
	(e).e_version = EV_CURRENT; \
	(e).e_phoff = h->program_header_offset; \
	(e).e_flags = h->flags; \
	(e).e_ehsize = sizeof(Elf##class_bits##_Ehdr); \
	(e).e_phentsize = sizeof(Elf##class_bits##_Phdr); \
	(e).e_phnum = too_many(h) ? PN_XNUM : h->program_header_count; \
	if (too_many(h)) { \
		(e).e_shoff = h->section_header_offset; \
		(e).e_shentsize = sizeof(Elf##class_bits##_Shdr); \
		(e).e_shnum = 1; \
	} \
} while (0)

int cr_elf_put_header(const struct cr_elf_header *h, void *out)
{
	if (h->form.class_of_words == ELFCLASS32) {
		Elf32_Ehdr e = { 0 };

		if (h->program_header_offset > UINT32_MAX || h->section_header_offset > UINT32_MAX)
			return CR_NOT_ELF;
		FILL_HEADER(e, 32);
		return translate_out(ELFCLASS32, h->form.byte_order, ELF_T_EHDR, &e, sizeof(e), out,
			sizeof(e));
	} else {
		Elf64_Ehdr e = { 0 };

		FILL_HEADER(e, 64);
		return translate_out(ELFCLASS64, h->form.byte_order, ELF_T_EHDR, &e, sizeof(e), out,
			sizeof(e));
	}
}

int cr_elf_put_segments(struct cr_elf_form form, const struct cr_elf_segment *segments,
	size_t count, void *out)
{
	char *next = out;
	size_t i;

	for (i = 0; i < count; i++) {
		const struct cr_elf_segment *s = &segments[i];
		int error;

		if (form.class_of_words == ELFCLASS32) {
			Elf32_Phdr p = {
				.p_type = s->type, .p_offset = s->offset, .p_vaddr = s->address,
				.p_filesz = s->file_size, .p_memsz = s->memory_size,
				.p_flags = s->flags, .p_align = s->alignment,
			};

			/* A last page that ends at 4 GiB has a size that fits, whatever its end. */
			if ((s->offset | s->address | s->file_size | s->memory_size) > UINT32_MAX)
				return CR_NOT_ELF;
			error = translate_out(ELFCLASS32, form.byte_order, ELF_T_PHDR, &p,
				sizeof(p), next, sizeof(p));
			next += sizeof(p);
		} else {
			Elf64_Phdr p = {
				.p_type = s->type, .p_flags = s->flags, .p_offset = s->offset,
				.p_vaddr = s->address, .p_filesz = s->file_size,
				.p_memsz = s->memory_size, .p_align = s->alignment,
			};

			error = translate_out(ELFCLASS64, form.byte_order, ELF_T_PHDR, &p,
				sizeof(p), next, sizeof(p));
			next += sizeof(p);
		}
		if (error)
			return error;
	}
	return 0;
}

int cr_elf_put_count_section(const struct cr_elf_header *h, void *out)
{
	/* As the kernel's fill_extnum_info (fs/binfmt_elf.c) writes it. */
	if (h->form.class_of_words == ELFCLASS32) {
		Elf32_Shdr s = { .sh_size = 1, .sh_info = h->program_header_count };

		return translate_out(ELFCLASS32, h->form.byte_order, ELF_T_SHDR, &s, sizeof(s), out,
			sizeof(s));
	} else {
		Elf64_Shdr s = { .sh_size = 1, .sh_info = h->program_header_count };

		return translate_out(ELFCLASS64, h->form.byte_order, ELF_T_SHDR, &s, sizeof(s), out,
			sizeof(s));
	}
}

#define TAKE_HEADER(e) do { \
	h->type = (e).e_type; \
	h->form.machine = (e).e_machine; \
	h->program_header_offset = (e).e_phoff; \
	h->section_header_offset = (e).e_shoff; \
	h->program_header_count = (e).e_phnum; \
	h->flags = (e).e_flags; \
} while (0)

int cr_elf_get_header(const void *bytes, size_t size, struct cr_elf_header *h)
{
	const uint8_t *ident = bytes;
	int error;

	if (size < EI_NIDENT || memcmp(ident, ELFMAG, SELFMAG))
		return CR_NOT_ELF;
	memset(h, 0, sizeof(*h));
	h->form.class_of_words = ident[EI_CLASS];
	h->form.byte_order = ident[EI_DATA];
	if (ident[EI_DATA] != ELFDATA2LSB && ident[EI_DATA] != ELFDATA2MSB)
		return CR_NOT_ELF;
	if (ident[EI_CLASS] == ELFCLASS32 && size >= sizeof(Elf32_Ehdr)) {
		Elf32_Ehdr e;

		error = translate_in(ELFCLASS32, ident[EI_DATA], ELF_T_EHDR, bytes, sizeof(e), &e,
			sizeof(e));
		TAKE_HEADER(e);
	} else if (ident[EI_CLASS] == ELFCLASS64 && size >= sizeof(Elf64_Ehdr)) {
		Elf64_Ehdr e;

		error = translate_in(ELFCLASS64, ident[EI_DATA], ELF_T_EHDR, bytes, sizeof(e), &e,
			sizeof(e));
		TAKE_HEADER(e);
	} else {
		return CR_NOT_ELF;
	}
	return error;
}

#define TAKE_SEGMENT(p) (struct cr_elf_segment) { \
	.type = (p).p_type, .flags = (p).p_flags, .offset = (p).p_offset, .address = (p).p_vaddr, \
	.file_size = (p).p_filesz, .memory_size = (p).p_memsz, .alignment = (p).p_align, \
}

int cr_elf_get_segments(struct cr_elf_form form, const void *bytes, size_t size,
	struct cr_elf_segment *segments, size_t count)
{
	size_t each = cr_elf_segment_size(form.class_of_words), i;
	const char *next = bytes;
	int error = 0;

	if (count > size / each)
		return CR_NOT_ELF;
	for (i = 0; i < count && !error; i++, next += each) {
		if (form.class_of_words == ELFCLASS32) {
			Elf32_Phdr p;

			error = translate_in(ELFCLASS32, form.byte_order, ELF_T_PHDR, next, each,
				&p, each);
			segments[i] = TAKE_SEGMENT(p);
		} else {
			Elf64_Phdr p;

			error = translate_in(ELFCLASS64, form.byte_order, ELF_T_PHDR, next, each,
				&p, each);
			segments[i] = TAKE_SEGMENT(p);
		}
	}
	return error;
}

int cr_elf_get_count_section(struct cr_elf_form form, const void *bytes, size_t size,
	uint32_t *count)
{
	int error;

	if (size < cr_elf_section_size(form.class_of_words))
		return CR_NOT_ELF;
	if (form.class_of_words == ELFCLASS32) {
		Elf32_Shdr s;

		error = translate_in(ELFCLASS32, form.byte_order, ELF_T_SHDR, bytes, sizeof(s), &s,
			sizeof(s));
		*count = s.sh_info;
	} else {
		Elf64_Shdr s;

		error = translate_in(ELFCLASS64, form.byte_order, ELF_T_SHDR, bytes, sizeof(s), &s,
			sizeof(s));
		*count = s.sh_info;
	}
	return error;
}

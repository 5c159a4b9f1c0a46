/* SPDX-License-Identifier: Apache-2.0
 * What context files need of liblz4: its frame format. Sizes in bytes; a negative result is -errno: EIO
 * for data that is no lz4 frame, or a damaged one.
 */
#ifndef CR_LZ4_H
#define CR_LZ4_H

#include <stddef.h>

/* Room that the frame of count bytes may need. */
size_t cr_lz4_room(size_t count);
/* One frame with its own checksum and size. */
long cr_lz4_pack(void *frame, size_t room, const void *bytes, size_t count);

/* A state for one thread; NULL without memory. */
void *cr_lz4_unpacker(void);
void cr_lz4_free_unpacker(void *unpacker);
/* One frame whose contents are exactly count bytes. */
long cr_lz4_unpack(void *unpacker, void *bytes, size_t count, const void *frame, size_t size);

/*
 * Goes on with a stream of frames; tells how much was taken and given. 0 when a frame has just ended,
 * else a positive number.
 */
long cr_lz4_go_on(void *unpacker, void *bytes, size_t room, const void *part, size_t count,
	size_t *taken, size_t *given);

#endif

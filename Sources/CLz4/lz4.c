/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <lz4frame.h>
#include <string.h>
#include "CLz4.h"

static long result(size_t value)
{
	if (!LZ4F_isError(value))
		return (long)value;
	/* The codes themselves are not part of the shared interface. */
	return strcmp(LZ4F_getErrorName(value), "ERROR_allocation_failed") == 0 ? -ENOMEM : -EIO;
}

static LZ4F_preferences_t preferences(size_t count)
{
	LZ4F_preferences_t how = LZ4F_INIT_PREFERENCES;

	how.frameInfo.blockSizeID = LZ4F_max4MB;
	how.frameInfo.blockMode = LZ4F_blockIndependent;
	how.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
	/* Some changes of a frame do not change what comes out: the one of contents does not see them. */
	how.frameInfo.blockChecksumFlag = LZ4F_blockChecksumEnabled;
	how.frameInfo.contentSize = count;
	return how;
}

size_t cr_lz4_room(size_t count)
{
	LZ4F_preferences_t how = preferences(count);

	return LZ4F_compressFrameBound(count, &how);
}

long cr_lz4_pack(void *frame, size_t room, const void *bytes, size_t count)
{
	LZ4F_preferences_t how = preferences(count);

	return result(LZ4F_compressFrame(frame, room, bytes, count, &how));
}

void *cr_lz4_unpacker(void)
{
	LZ4F_dctx *unpacker = NULL;

	return LZ4F_isError(LZ4F_createDecompressionContext(&unpacker, LZ4F_VERSION)) ? NULL : unpacker;
}

void cr_lz4_free_unpacker(void *unpacker)
{
	LZ4F_freeDecompressionContext(unpacker);
}

long cr_lz4_unpack(void *unpacker, void *bytes, size_t count, const void *frame, size_t size)
{
	size_t taken = 0, given = 0;

	/* What a frame before this one left behind. */
	LZ4F_resetDecompressionContext(unpacker);
	while (1) {
		size_t in, out;
		long left = cr_lz4_go_on(unpacker, (char *)bytes + given, count - given,
			(const char *)frame + taken, size - taken, &in, &out);

		if (left < 0)
			return left;
		taken += in;
		given += out;
		if (left == 0)
			return taken == size && given == count ? (long)count : -EIO;
		if (in == 0 && out == 0)
			return -EIO;
	}
}

long cr_lz4_go_on(void *unpacker, void *bytes, size_t room, const void *part, size_t count,
	size_t *taken, size_t *given)
{
	*taken = count;
	*given = room;
	return result(LZ4F_decompress(unpacker, bytes, given, part, taken, NULL));
}

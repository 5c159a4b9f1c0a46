/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <zstd.h>
#include <zstd_errors.h>
#include "CZstd.h"

static long result(size_t value)
{
	if (!ZSTD_isError(value))
		return (long)value;
	return ZSTD_getErrorCode(value) == ZSTD_error_memory_allocation ? -ENOMEM : -EIO;
}

size_t cr_zstd_room(size_t count)
{
	return ZSTD_compressBound(count);
}

void *cr_zstd_packer(void)
{
	return ZSTD_createCCtx();
}

void cr_zstd_free_packer(void *packer)
{
	ZSTD_freeCCtx(packer);
}

long cr_zstd_pack(void *packer, void *frame, size_t room, const void *bytes, size_t count,
	int level)
{
	ZSTD_CCtx_setParameter(packer, ZSTD_c_compressionLevel, level);
	ZSTD_CCtx_setParameter(packer, ZSTD_c_checksumFlag, 1);
	return result(ZSTD_compress2(packer, frame, room, bytes, count));
}

void *cr_zstd_unpacker(void)
{
	return ZSTD_createDCtx();
}

void cr_zstd_free_unpacker(void *unpacker)
{
	ZSTD_freeDCtx(unpacker);
}

long cr_zstd_unpack(void *unpacker, void *bytes, size_t count, const void *frame, size_t size)
{
	long found = result(ZSTD_decompressDCtx(unpacker, bytes, count, frame, size));

	return found < 0 || (size_t)found == count ? found : -EIO;
}

long cr_zstd_go_on(void *unpacker, void *bytes, size_t room, const void *part, size_t count,
	size_t *taken, size_t *given)
{
	ZSTD_inBuffer in = { part, count, 0 };
	ZSTD_outBuffer out = { bytes, room, 0 };
	long left = result(ZSTD_decompressStream(unpacker, &out, &in));

	*taken = in.pos;
	*given = out.pos;
	return left;
}

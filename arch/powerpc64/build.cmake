# SPDX-License-Identifier: Apache-2.0
set(CR_DEBIAN_ARCHITECTURE ppc64)
set(CR_LIBRARY_ARCHITECTURE powerpc64-linux-gnu)
# The Swift compiler has no ABI for big-endian PowerPC.
set(CR_SWIFT_TARGET NONE)

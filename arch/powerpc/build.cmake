# SPDX-License-Identifier: Apache-2.0
set(CR_DEBIAN_ARCHITECTURE powerpc)
set(CR_LIBRARY_ARCHITECTURE powerpc-linux-gnu)
# The Swift compiler has no ABI for 32-bit PowerPC.
set(CR_SWIFT_TARGET NONE)

# SPDX-License-Identifier: Apache-2.0
set(CR_DEBIAN_ARCHITECTURE ppc64el)
set(CR_LIBRARY_ARCHITECTURE powerpc64le-linux-gnu)
set(CR_SWIFT_TARGET powerpc64le-none-none-elf)
# Swift ships no standard library for it; cmake/SwiftLibrary.cmake makes one from this one's, which
# has the same word size, byte order and layouts.
set(CR_SWIFT_LIBRARY_FROM aarch64-none-none-elf)

# SPDX-License-Identifier: Apache-2.0
set(CR_DEBIAN_ARCHITECTURE i386)
# Where Debian keeps its libraries; the compilers are called i686.
set(CR_LIBRARY_ARCHITECTURE i386-linux-gnu)
set(CR_TRIPLET i686-linux-gnu)
set(CR_SWIFT_TARGET i686-unknown-none-elf)

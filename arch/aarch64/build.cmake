# SPDX-License-Identifier: Apache-2.0
set(CR_DEBIAN_ARCHITECTURE arm64)
set(CR_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CR_SWIFT_TARGET aarch64-none-none-elf)
# GNU ld refuses a copy relocation that Embedded Swift's objects need.
set(CR_LINK_FLAGS -fuse-ld=lld)

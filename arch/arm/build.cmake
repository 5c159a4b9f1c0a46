# SPDX-License-Identifier: Apache-2.0
set(CR_DEBIAN_ARCHITECTURE armhf)
set(CR_LIBRARY_ARCHITECTURE arm-linux-gnueabihf)
set(CR_SWIFT_TARGET armv7-none-none-eabi)
# The hard-float ABI of Debian's armhf: doubles are passed in VFP registers.
set(CR_SWIFT_TARGET_FLAGS -Xcc -mfloat-abi=hard -Xcc -mfpu=vfpv3-d16)
set(CR_LINK_FLAGS -Wl,--no-warn-mismatch)

# SPDX-License-Identifier: Apache-2.0
set(CR_DEBIAN_ARCHITECTURE amd64)
set(CR_LIBRARY_ARCHITECTURE x86_64-linux-gnu)
set(CR_SWIFT_TARGET x86_64-unknown-linux-gnu)

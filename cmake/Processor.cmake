# SPDX-License-Identifier: Apache-2.0
# The processor that programs are built for, by what the C compiler says of itself:
#   CR_MACHINE    the compiler's triplet
#   CR_PROCESSOR  the folder below arch/ that belongs to it
# and what that folder's build.cmake says:
#   CR_DEBIAN_ARCHITECTURE  Debian's name of it
#   CR_LIBRARY_ARCHITECTURE Debian's folder of its libraries
#   CR_SWIFT_TARGET         swiftc -target when cross-building; NONE where Swift has no such backend
#   CR_SWIFT_TARGET_FLAGS   what else swiftc needs for it
#   CR_LINK_FLAGS           what else linking a tool needs
execute_process(COMMAND ${CMAKE_C_COMPILER} -dumpmachine
  OUTPUT_VARIABLE CR_MACHINE OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
string(REGEX REPLACE "-.*" "" CR_PROCESSOR ${CR_MACHINE})
if(CR_PROCESSOR MATCHES "^i[3-6]86$")
  set(CR_PROCESSOR i386)
elseif(CR_PROCESSOR MATCHES "^arm")
  set(CR_PROCESSOR arm)
elseif(CR_PROCESSOR MATCHES "^ppc")
  string(REPLACE ppc powerpc CR_PROCESSOR ${CR_PROCESSOR})
endif()
get_filename_component(CR_ARCH_FOLDER ${CMAKE_CURRENT_LIST_DIR}/../arch/${CR_PROCESSOR} ABSOLUTE)
if(NOT EXISTS ${CR_ARCH_FOLDER}/build.cmake)
  message(FATAL_ERROR "no folder below arch/ for ${CR_MACHINE}")
endif()
include(${CR_ARCH_FOLDER}/build.cmake)

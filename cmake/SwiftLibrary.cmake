# SPDX-License-Identifier: Apache-2.0
# A standard library of Embedded Swift for a processor that the toolchain has none for, made in the
# build folder from another processor's (CR_SWIFT_LIBRARY_FROM).
#
# A module of Embedded Swift holds SIL, which does not depend on the processor but for word size, byte
# order and layouts; code comes from it when a program is compiled. Only the target that it names
# has to be another one, spelled with as many letters.
set(CR_SWIFT_RESOURCES ${CMAKE_BINARY_DIR}/swift)
string(REPLACE "-none-none-" "--none-" _cr_name ${CR_SWIFT_TARGET})
string(LENGTH ${_cr_name} _cr_length)
string(LENGTH ${CR_SWIFT_LIBRARY_FROM} _cr_wanted)
if(NOT _cr_length EQUAL _cr_wanted)
  message(FATAL_ERROR "${_cr_name} and ${CR_SWIFT_LIBRARY_FROM} differ in length")
endif()
execute_process(COMMAND ${SWIFTC} -print-target-info OUTPUT_VARIABLE _cr_info COMMAND_ERROR_IS_FATAL ANY)
string(JSON _cr_toolchain GET ${_cr_info} paths runtimeResourcePath)
string(REPLACE ";" "," _cr_stamp "${SWIFTC};${_cr_name};${CR_SWIFT_LIBRARY_FROM}")
set(_cr_done ${CR_SWIFT_RESOURCES}/made-from)
if(EXISTS ${_cr_done})
  file(READ ${_cr_done} _cr_before)
endif()
if(NOT _cr_before STREQUAL _cr_stamp)
  file(REMOVE_RECURSE ${CR_SWIFT_RESOURCES})
  file(MAKE_DIRECTORY ${CR_SWIFT_RESOURCES}/embedded)
  # All else of the toolchain is taken as it is.
  foreach(level "" embedded/)
    file(GLOB _cr_parts RELATIVE ${_cr_toolchain}/${level} ${_cr_toolchain}/${level}*)
    list(REMOVE_ITEM _cr_parts embedded)
    list(FILTER _cr_parts EXCLUDE REGEX "\\.swiftmodule$")
    foreach(part IN LISTS _cr_parts)
      file(CREATE_LINK ${_cr_toolchain}/${level}${part} ${CR_SWIFT_RESOURCES}/${level}${part} SYMBOLIC)
    endforeach()
  endforeach()
  foreach(module Swift Synchronization _Builtin_float _Volatile)
    set(_cr_folder ${CR_SWIFT_RESOURCES}/embedded/${module}.swiftmodule)
    file(MAKE_DIRECTORY ${_cr_folder})
    execute_process(
      COMMAND ${CMAKE_COMMAND} -E env LC_ALL=C sed s/${CR_SWIFT_LIBRARY_FROM}/${_cr_name}/g
        ${_cr_toolchain}/embedded/${module}.swiftmodule/${CR_SWIFT_LIBRARY_FROM}.swiftmodule
      OUTPUT_FILE ${_cr_folder}/${CR_SWIFT_TARGET}.swiftmodule COMMAND_ERROR_IS_FATAL ANY)
  endforeach()
  file(WRITE ${_cr_done} ${_cr_stamp})
endif()

# SPDX-License-Identifier: Apache-2.0
# Static libraries of others that the tools are linked with. When cross-building they come from
# CR_SYSROOT (filled by tools/foreign-packages) or from where multiarch packages are installed, and
# the headers, which are the same for every processor, from the building machine.
set(CR_SYSROOT "${CMAKE_BINARY_DIR}/sysroot" CACHE PATH "Folder with libraries of another processor")
set(CR_FOREIGN_INCLUDE ${CMAKE_BINARY_DIR}/include)

#   cr_library_of_others(<variable> <library> HEADERS <header or folder>...)
function(cr_library_of_others out name)
  cmake_parse_arguments(arg "" "" "HEADERS" ${ARGN})
  if(NOT CMAKE_CROSSCOMPILING)
    set(${out} ${name} PARENT_SCOPE)
    return()
  endif()
  find_library(CR_LIBRARY_${name} lib${name}.a REQUIRED NO_DEFAULT_PATH
    PATHS ${CR_SYSROOT}/usr/lib/${CR_LIBRARY_ARCHITECTURE} /usr/lib/${CR_LIBRARY_ARCHITECTURE})
  cr_headers_of_others(${arg_HEADERS})
  set(${out} ${CR_LIBRARY_${name}} PARENT_SCOPE)
endfunction()

# A cross compiler must see these headers of the building machine and nothing else of it.
function(cr_headers_of_others)
  file(MAKE_DIRECTORY ${CR_FOREIGN_INCLUDE})
  foreach(header IN LISTS ARGN)
    find_path(_cr_where ${header} REQUIRED PATHS /usr/local/include /usr/include NO_CACHE
      NO_DEFAULT_PATH)
    file(CREATE_LINK ${_cr_where}/${header} ${CR_FOREIGN_INCLUDE}/${header} SYMBOLIC)
    unset(_cr_where)
  endforeach()
endfunction()

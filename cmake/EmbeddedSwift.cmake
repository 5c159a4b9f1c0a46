# SPDX-License-Identifier: Apache-2.0
# Embedded Swift for CMake: one swiftc call per module, linked by the C compiler.
#
# CMake 3.25's own Swift support does not cope with executables that C links, so this is a thin
# layer over add_custom_command, the same for every processor.
#
#   cr_swift_module(NAME <module> DIR <folder>... [DEPENDS <module or C target>...])
#   cr_swift_tool(NAME <tool> DIR <folder> DEPENDS <modules...> [LIBRARIES <...>])

find_program(SWIFTC swiftc REQUIRED)

# Unoptimized builds take a third of the time.
set(CR_SWIFT_OPTIMIZATION -O)
if(CMAKE_BUILD_TYPE STREQUAL "Debug")
  set(CR_SWIFT_OPTIMIZATION -Onone)
endif()
set(CR_SWIFT_FLAGS -enable-experimental-feature Embedded -wmo ${CR_SWIFT_OPTIMIZATION}
    -swift-version 6 -package-name blcr -Xfrontend -function-sections
    -Xfrontend -disable-stack-protector)
if(CMAKE_CROSSCOMPILING)
  # Freestanding as far as swiftc knows; the C side is the cross compiler's Linux.
  list(APPEND CR_SWIFT_FLAGS -target ${CR_SWIFT_TARGET} ${CR_SWIFT_TARGET_FLAGS}
    -Xcc -D__linux__ -Xcc -D_GNU_SOURCE)
  foreach(folder IN LISTS CMAKE_C_IMPLICIT_INCLUDE_DIRECTORIES)
    # gcc's own headers are not for clang, which has the same ones.
    if(NOT folder MATCHES "/gcc")
      list(APPEND CR_SWIFT_FLAGS -Xcc -isystem -Xcc ${folder})
    endif()
  endforeach()
  # The toolchain brings lld along, where gcc does not look.
  get_filename_component(_cr_bin ${SWIFTC} REALPATH)
  get_filename_component(_cr_bin ${_cr_bin} DIRECTORY)
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/linker)
  file(CREATE_LINK ${_cr_bin}/ld.lld ${CMAKE_BINARY_DIR}/linker/ld.lld SYMBOLIC)
  list(APPEND CR_LINK_FLAGS -B${CMAKE_BINARY_DIR}/linker)
  if(CR_SWIFT_LIBRARY_FROM)
    include(SwiftLibrary)
    list(APPEND CR_SWIFT_FLAGS -resource-dir ${CR_SWIFT_RESOURCES})
  endif()
endif()
set(CR_WERROR NO CACHE BOOL "A warning of a compiler ends the build")
if(CR_WERROR)
  list(APPEND CR_SWIFT_FLAGS -warnings-as-errors)
  add_compile_options(-Werror)
endif()
set(CR_MODULES ${CMAKE_BINARY_DIR}/modules)
# swiftc leaves an empty folder in TMPDIR each time it runs.
set(CR_TMPDIR ${CMAKE_BINARY_DIR}/tmp)
file(MAKE_DIRECTORY ${CR_MODULES} ${CR_TMPDIR})

# Everything below a list of modules, each after what it depends on.
function(_cr_closure out)
  set(found "")
  foreach(module IN LISTS ARGN)
    get_property(below GLOBAL PROPERTY CR_BELOW_${module})
    list(APPEND found ${below} ${module})
  endforeach()
  list(REMOVE_DUPLICATES found)
  set(${out} ${found} PARENT_SCOPE)
endfunction()

# A C module seen from Swift through the module map in its include folder.
function(cr_c_module name)
  cmake_parse_arguments(arg "" "" "DIR;LIBRARIES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${arg_DIR}/*.c)
  file(GLOB headers CONFIGURE_DEPENDS ${arg_DIR}/include/*)
  if(sources)
    add_library(${name} STATIC ${sources})
    target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR}/${arg_DIR}/include)
    target_link_libraries(${name} PUBLIC ${arg_LIBRARIES})
  else()
    add_library(${name} INTERFACE)
  endif()
  set_property(GLOBAL PROPERTY CR_C_HEADERS_${name} "${headers}")
  set_property(GLOBAL PROPERTY CR_C_INCLUDE_${name} ${CMAKE_SOURCE_DIR}/${arg_DIR}/include)
  set_property(GLOBAL PROPERTY CR_BELOW_${name} "")
endfunction()

function(_cr_inputs depends out_flags out_files out_objects out_c)
  _cr_closure(all ${depends})
  set(flags "")
  set(files "")
  set(objects "")
  set(c "")
  foreach(module IN LISTS all)
    get_property(include GLOBAL PROPERTY CR_C_INCLUDE_${module})
    if(include)
      get_property(headers GLOBAL PROPERTY CR_C_HEADERS_${module})
      list(APPEND flags -Xcc -fmodule-map-file=${include}/module.modulemap)
      list(APPEND files ${headers})
      list(APPEND c ${module})
    else()
      list(APPEND files ${CR_MODULES}/${module}.swiftmodule)
      list(APPEND objects ${CR_MODULES}/${module}.o)
    endif()
  endforeach()
  set(${out_flags} "${flags}" PARENT_SCOPE)
  set(${out_files} "${files}" PARENT_SCOPE)
  set(${out_objects} "${objects}" PARENT_SCOPE)
  set(${out_c} "${c}" PARENT_SCOPE)
endfunction()

function(cr_swift_module name)
  cmake_parse_arguments(arg "TOP_LEVEL" "" "DIR;DEPENDS" ${ARGN})
  # A tool's main.swift holds statements; everywhere else a lone file must not be taken for one.
  set(kind -parse-as-library)
  if(arg_TOP_LEVEL)
    set(kind "")
  endif()
  set(sources "")
  foreach(folder IN LISTS arg_DIR)
    file(GLOB some CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.swift)
    list(APPEND sources ${some})
  endforeach()
  _cr_inputs("${arg_DEPENDS}" flags files objects c)
  set(object ${CR_MODULES}/${name}.o)
  add_custom_command(
    OUTPUT ${object} ${CR_MODULES}/${name}.swiftmodule
    COMMAND ${CMAKE_COMMAND} -E env TMPDIR=${CR_TMPDIR} ${SWIFTC} ${CR_SWIFT_FLAGS} ${kind} -module-name ${name} -I ${CR_MODULES} ${flags}
      -emit-module -emit-module-path ${CR_MODULES}/${name}.swiftmodule
      -c ${sources} -o ${object}
    DEPENDS ${sources} ${files}
    COMMENT "Swift module ${name}" VERBATIM)
  _cr_closure(below ${arg_DEPENDS})
  set_property(GLOBAL PROPERTY CR_BELOW_${name} "${below}")
endfunction()

function(cr_swift_tool name)
  cmake_parse_arguments(arg "" "" "DIR;DEPENDS;LIBRARIES" ${ARGN})
  string(MAKE_C_IDENTIFIER "${name}_main" module)
  cr_swift_module(${module} TOP_LEVEL DIR ${arg_DIR} DEPENDS ${arg_DEPENDS})
  _cr_inputs("${arg_DEPENDS}" flags files objects c)
  set_source_files_properties(${objects} ${CR_MODULES}/${module}.o
    PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)
  add_executable(${name} ${CR_MODULES}/${module}.o ${objects})
  set_target_properties(${name} PROPERTIES LINKER_LANGUAGE C
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
  # Swift's Dictionary asks for ceil.
  target_link_libraries(${name} PRIVATE ${c} ${arg_LIBRARIES} m)
  target_link_options(${name} PRIVATE -static -Wl,--gc-sections ${CR_LINK_FLAGS})
  install(TARGETS ${name} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endfunction()

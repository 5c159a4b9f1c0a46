# SPDX-License-Identifier: Apache-2.0
# Toolchain file for another processor: cmake -DCMAKE_TOOLCHAIN_FILE=cmake/Cross.cmake -DCR_HOST=TRIPLET
# CR_SYSROOT is a folder with the libraries of that processor, as tools/foreign-packages fills it.
set(CMAKE_SYSTEM_NAME Linux)
string(REGEX REPLACE "-.*" "" CMAKE_SYSTEM_PROCESSOR ${CR_HOST})
if(NOT CMAKE_C_COMPILER)
  set(CMAKE_C_COMPILER ${CR_HOST}-gcc)
endif()
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES CR_HOST CR_SYSROOT)

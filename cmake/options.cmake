# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# What every target of the project is compiled with. The presets turn warnings into errors and add
# sanitizers; a plain `cmake -B build` stays quiet with any compiler.
set(SEEK_SIGNAL_SANITIZE "" CACHE STRING "Value for -fsanitize=, e.g. address,undefined or thread")
option(SEEK_SIGNAL_WERROR "Treat warnings as errors" OFF)
# Whatever may be run for real is hardened, also when nobody asks for it: quickstart, a plain `cmake -B build`.
if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Debug" OR SEEK_SIGNAL_SANITIZE)
    set(is_for_real OFF)
else()
    set(is_for_real ON)
endif()
option(SEEK_SIGNAL_HARDEN "Hardening flags of a release build" ${is_for_real})
option(SEEK_SIGNAL_COMPACT "Optimise across files and leave out what nothing reads at run time" OFF)
option(SEEK_SIGNAL_ANALYZE "gcc -fanalyzer or clang -Wthread-safety" OFF)

add_library(project_options INTERFACE)
target_include_directories(project_options INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
target_compile_definitions(project_options INTERFACE _GNU_SOURCE)
target_compile_options(project_options INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
    -Wformat=2 -Wvla -Wswitch-enum -Wundef -Wwrite-strings -Wcast-qual
    # STEAL is a statement expression behind __extension__, which clang warns about all the same.
    $<$<C_COMPILER_ID:Clang>:-Wno-gnu-statement-expression>)
# Equal sources give equal bytes, wherever they are built: no path of this machine is in a release, neither by assert nor by
# debug information. gdb is told by `set substitute-path . …`.
set(same_bytes "$<$<CONFIG:Release>:-ffile-prefix-map=${CMAKE_SOURCE_DIR}=.;-ffile-prefix-map=${CMAKE_BINARY_DIR}=./build>")
target_compile_options(project_options INTERFACE ${same_bytes})
target_link_options(project_options INTERFACE ${same_bytes}) # where -flto compiles
if(SEEK_SIGNAL_WERROR)
    target_compile_options(project_options INTERFACE -Werror)
endif()
if(SEEK_SIGNAL_SANITIZE)
    target_compile_options(project_options INTERFACE
        -fsanitize=${SEEK_SIGNAL_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    target_link_options(project_options INTERFACE -fsanitize=${SEEK_SIGNAL_SANITIZE})
endif()
if(SEEK_SIGNAL_HARDEN)
    target_compile_options(project_options INTERFACE
        -fstack-protector-strong -fstack-clash-protection -fPIE
        # Takes effect where the distribution's own start files have it too: Ubuntu's do, Debian's do not.
        $<$<STREQUAL:${CMAKE_SYSTEM_PROCESSOR},x86_64>:-fcf-protection>
        $<$<STREQUAL:${CMAKE_SYSTEM_PROCESSOR},aarch64>:-mbranch-protection=standard>
        -ffunction-sections -fdata-sections)
    target_compile_definitions(project_options INTERFACE _FORTIFY_SOURCE=2)
    target_link_options(project_options INTERFACE
        -pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--gc-sections -Wl,--as-needed)
endif()
if(SEEK_SIGNAL_COMPACT)
    # Unwind tables serve C++ exceptions and cancelled threads, which are not here; debuggers have -g's own.
    set(compact -flto=auto -fno-asynchronous-unwind-tables)
    # The tests replace functions by ld's --wrap, which sees no call within what is optimised as a whole. They are linked
    # from the same objects, which therefore have both forms when there are tests.
    target_compile_options(project_options INTERFACE
        ${compact} $<$<AND:$<BOOL:${SEEK_SIGNAL_TESTS}>,$<C_COMPILER_ID:GNU>>:-ffat-lto-objects>)
    target_link_options(project_options INTERFACE
        ${compact} $<$<BOOL:$<TARGET_PROPERTY:SEEK_SIGNAL_REPLACES>>:-fno-lto> -Wl,-z,pack-relative-relocs)
endif()
if(SEEK_SIGNAL_ANALYZE)
    target_compile_options(project_options INTERFACE
        # Without what gcc 12 cannot follow: memory owned through a list, or by a field of what a parameter points to. Such
        # leaks and double frees are found by ASan when the tests run.
        $<$<C_COMPILER_ID:GNU>:-fanalyzer -Wno-analyzer-malloc-leak -Wno-analyzer-double-free>
        $<$<C_COMPILER_ID:Clang>:-Wthread-safety>)
endif()

# Asserts are part of the program: they stay in release builds.
foreach(configuration RELEASE RELWITHDEBINFO MINSIZEREL)
    string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_${configuration} "${CMAKE_C_FLAGS_${configuration}}")
endforeach()

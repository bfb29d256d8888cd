# What every target of the project is compiled with. The presets turn warnings into errors and add
# sanitizers; a plain `cmake -B build` stays quiet with any compiler.
set(SEEK_SIGNAL_SANITIZE "" CACHE STRING "Value for -fsanitize=, e.g. address,undefined or thread")
option(SEEK_SIGNAL_WERROR "Treat warnings as errors" OFF)
option(SEEK_SIGNAL_HARDEN "Hardening flags of a release build" OFF)
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
    target_compile_options(project_options INTERFACE ${compact})
    target_link_options(project_options INTERFACE ${compact} -Wl,-z,pack-relative-relocs)
endif()
if(SEEK_SIGNAL_ANALYZE)
    target_compile_options(project_options INTERFACE
        $<$<C_COMPILER_ID:GNU>:-fanalyzer> $<$<C_COMPILER_ID:Clang>:-Wthread-safety>)
endif()

# Asserts are part of the program: they stay in release builds.
foreach(configuration RELEASE RELWITHDEBINFO MINSIZEREL)
    string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_${configuration} "${CMAKE_C_FLAGS_${configuration}}")
endforeach()

# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# embed_file(target path symbol): compiles the bytes of the file (a Lua script without its lines of comment) into the target as
# `const char symbol[]` (NUL-terminated) and `const size_t symbol_length`, declared in "embedded/symbol.h".
function(embed_file target path symbol)
    set(source ${CMAKE_CURRENT_SOURCE_DIR}/${path})
    if(IS_ABSOLUTE ${path})
        set(source ${path})
    endif()
    set(directory ${CMAKE_BINARY_DIR}/embedded)
    add_custom_command(
        OUTPUT ${directory}/${symbol}.c ${directory}/${symbol}.h
        COMMAND ${CMAKE_COMMAND} -D SOURCE=${source} -D SYMBOL=${symbol} -D DIRECTORY=${directory}
                -P ${CMAKE_SOURCE_DIR}/cmake/embed_file.cmake
        DEPENDS ${source} ${CMAKE_SOURCE_DIR}/cmake/embed_file.cmake
        VERBATIM)
    target_sources(${target} PRIVATE ${directory}/${symbol}.c ${directory}/${symbol}.h)
endfunction()

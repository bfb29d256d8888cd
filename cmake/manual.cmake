# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# add_manual(program): makes program.1 from the program's own tables, by `program --help man`, and installs it.
# The date is that of the source (SOURCE_DATE_EPOCH), or today.
if(CMAKE_SCRIPT_MODE_FILE)
    execute_process(COMMAND ${EMULATOR} ${PROGRAM} --help man OUTPUT_VARIABLE page COMMAND_ERROR_IS_FATAL ANY)
    string(TIMESTAMP date "%Y-%m-%d" UTC)
    string(REPLACE "@DATE@" "${date}" page "${page}")
    file(WRITE ${OUTPUT} "${page}")
    return()
endif()

include(GNUInstallDirs)
function(add_manual program)
    set(page ${CMAKE_CURRENT_BINARY_DIR}/${program}.1)
    add_custom_command(OUTPUT ${page}
        COMMAND ${CMAKE_COMMAND} -D EMULATOR=${CMAKE_CROSSCOMPILING_EMULATOR} -D PROGRAM=$<TARGET_FILE:${program}> -D OUTPUT=${page} -P ${CMAKE_SOURCE_DIR}/cmake/manual.cmake
        DEPENDS ${program} ${CMAKE_SOURCE_DIR}/cmake/manual.cmake
        VERBATIM)
    add_custom_target(${program}-manual ALL DEPENDS ${page})
    install(FILES ${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
endfunction()

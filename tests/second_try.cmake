# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# The last word of each ctest run, in its directory: which tests passed only at the second try that the presets give them. ctest shows both
# tries where they happen, hundreds of lines above. Its log has the name of a try behind how it ended.
cmake_minimum_required(VERSION 3.25)
set(log Testing/Temporary/LastTest.log)
if(EXISTS ${log}.tmp) # as long as ctest runs
    set(log ${log}.tmp)
endif()
file(STRINGS ${log} lines REGEX "^Test Passed\\.$|^\".*\" end time: ")
set(ended "")
set(failed "")
set(second "")
foreach(line IN LISTS lines)
    if(line MATCHES "^\"(.*)\" end time: ")
        set(name ${CMAKE_MATCH_1})
        if(NOT ended STREQUAL "Test Passed.")
            list(APPEND failed ${name})
        elseif(name IN_LIST failed)
            list(APPEND second ${name})
        endif()
        set(ended "")
    else()
        set(ended ${line})
    endif()
endforeach()
if(second)
    list(JOIN second " " names)
    message("passed only at the second try: ${names}")
endif()

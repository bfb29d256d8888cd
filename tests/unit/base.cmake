# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# can_fail_allocations(target symbols...): the target's allocations go through tests/support/failing_malloc, and so do
# calls of `symbols`, for which the test defines __wrap_<symbol>.
function(can_fail_allocations target)
    target_sources(${target} PRIVATE ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../support/failing_malloc.c)
    foreach(symbol malloc calloc realloc strdup)
        target_link_options(${target} PRIVATE -Wl,--wrap=${symbol})
    endforeach()
    replace_calls(${target} ${ARGN})
endfunction()

# replace_calls(target symbols...): calls of `symbols` go to the test's __wrap_<symbol>.
function(replace_calls target)
    foreach(symbol ${ARGN})
        target_link_options(${target} PRIVATE -Wl,--wrap=${symbol})
    endforeach()
endfunction()

specify(unit array seek_base)
can_fail_allocations(array_test)

specify(unit ascii seek_base)

specify(unit budget seek_base)
specify(unit buffer seek_base)
can_fail_allocations(buffer_test)

specify(unit clock seek_base)

specify(unit crc32c seek_base)

specify(unit error seek_base)

specify(unit journal_frame seek_base)
can_fail_allocations(journal_frame_test)
add_library(journal_stand STATIC support/journal_stand.c)
target_link_libraries(journal_stand PUBLIC seek_base PRIVATE PkgConfig::CMOCKA)
specify(component journal journal_stand)
specify(component journal_faults journal_stand)
can_fail_allocations(journal_faults_test fdatasync)
specify(component journal_reading journal_stand)
target_sources(journal_reading_test PRIVATE support/failing_open.c)
replace_calls(journal_reading_test private_file_open)

specify(unit json_syntax seek_base)

specify(unit json_repair seek_base)

specify(unit json_items seek_base)
specify(unit json seek_base)
can_fail_allocations(json_test
    json_object_new_object json_object_new_array json_object_new_string_len json_object_new_boolean
    json_object_new_int64 json_object_new_double_s json_object_array_add json_object_object_add_ex)

specify(unit log seek_base)
replace_calls(log_test clock_wall_ms write)

# log_takes(name field [error]): a line with this field compiles, or the compiler's error is this one.
function(log_takes name field)
    add_test(NAME unit/log_takes_${name} COMMAND ${CMAKE_C_COMPILER} -std=c17 -Wall -Wextra -Werror -fsyntax-only
        -I${PROJECT_SOURCE_DIR} "-DFIELD=${field}" ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/log_fields.c)
    set_tests_properties(unit/log_takes_${name} PROPERTIES LABELS unit PASS_REGULAR_EXPRESSION "${ARGN}")
endfunction()
log_takes(fields [[LOG_TEXT("a", "b"), LOG_INT("c", 1)]])
log_takes(no_text [["text"]] "error: .*log_field")
log_takes(no_number [[1]] "error: .*log_field")
log_takes(no_number_as_text [[LOG_TEXT("a", 1)]] "error: .*(pointer from integer|integer to pointer)")
log_takes(no_text_as_number [[LOG_INT("a", "b")]] "error: invalid operands")
log_takes(no_pointer_as_number [[LOG_INT("a", &sink)]] "error: invalid operands")
specify(component log_sink seek_base)

specify(unit manual seek_base)
specify(unit metrics seek_base)
can_fail_allocations(metrics_test)

specify(unit percent seek_base)

specify(component private_directory seek_base)

specify(unit random seek_base)

specify(unit redaction seek_base)
can_fail_allocations(redaction_test)

specify(unit http_date seek_base)
specify(unit rfc3339 seek_base)

specify(unit secret seek_base)
can_fail_allocations(secret_test clock_monotonic_ms clock_wall_ms read)

specify(unit sha256 seek_base)
target_link_libraries(sha256_test PRIVATE PkgConfig::OPENSSL)
can_fail_allocations(sha256_test EVP_Digest)

specify(unit thread seek_base)
replace_calls(thread_test pthread_create)
specify(unit terminal seek_base)

specify(unit utf8 seek_base)

# Not a test of lib/base alone, but of where every file stands: tests/layering/run says which rules.
add_test(NAME layering/rules COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/../layering/run)
add_test(NAME layering/self-test
    COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/../layering/run --self-test)
set_tests_properties(layering/rules layering/self-test PROPERTIES LABELS layering TIMEOUT 600)

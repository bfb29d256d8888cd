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

specify(unit json_syntax seek_base)

specify(unit json seek_base)
can_fail_allocations(json_test
    json_object_new_object json_object_new_array json_object_new_string_len json_object_new_boolean
    json_object_new_int64 json_object_new_double_s json_object_array_add json_object_object_add_ex)

specify(unit log seek_base)
replace_calls(log_test clock_wall_ms write)

specify(unit metrics seek_base)
can_fail_allocations(metrics_test)

specify(unit percent seek_base)

specify(unit random seek_base)

specify(unit rfc3339 seek_base)

specify(unit secret seek_base)
can_fail_allocations(secret_test clock_monotonic_ms clock_wall_ms read)

specify(unit utf8 seek_base)

# Not a test of lib/base alone, but of where every file stands: tests/layering/run says which rules.
add_test(NAME layering/rules COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/../layering/run)
add_test(NAME layering/self-test
    COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/../layering/run --self-test)
set_tests_properties(layering/rules layering/self-test PROPERTIES LABELS layering TIMEOUT 60)

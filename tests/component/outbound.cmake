# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# After store.cmake, whose peers these use.
add_library(fake_http STATIC support/fake_http.c)
target_link_libraries(fake_http PUBLIC seek_base)

add_library(http_client_stand STATIC support/http_client_stand.c)
target_link_libraries(http_client_stand PUBLIC seek_net fake_http PRIVATE PkgConfig::CMOCKA)

specify(component http_client http_client_stand)
specify(component http_client_faults http_client_stand)
specify(component http_client_reuse http_client_stand)
specify(component http_client_tls http_client_stand)
specify(component http_client_watch http_client_stand)
replace_calls(http_client_watch_test event_loop_watch clock_monotonic_us)

add_library(worker_pool_stand STATIC
    support/worker_pool_stand.c support/fake_seek.c support/captured_log.c)
target_link_libraries(worker_pool_stand PUBLIC seek_outbound store_peers fake_http
    PRIVATE PkgConfig::CMOCKA)

specify(component worker_pool worker_pool_stand)
specify(component worker_pool_pace worker_pool_stand)
specify(component worker_pool_faults worker_pool_stand)
replace_calls(worker_pool_faults_test mutation_write)
specify(component worker_pool_access_token worker_pool_stand)
specify(component worker_pool_handover worker_pool_stand)
specify(component worker_pool_stop worker_pool_stand)
can_fail_allocations(worker_pool_stop_test)

# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# After http.cmake and redis.cmake, whose peers these use.
add_library(intake_stand STATIC support/intake_stand.c)
target_link_libraries(intake_stand PUBLIC seek_inbound http_peers redis_peers
    PRIVATE PkgConfig::CMOCKA)

specify(component intake intake_stand)
specify(component intake_wait intake_stand)
specify(component intake_wake intake_stand)
specify(component intake_faults intake_stand)
specify(component ops_server intake_stand)
specify(component intake_memory intake_stand)
target_link_libraries(intake_memory_test PRIVATE PkgConfig::OPENSSL)
can_fail_allocations(intake_memory_test EVP_Digest)

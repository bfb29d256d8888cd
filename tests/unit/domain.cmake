# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
foreach(name base64 cloud_event delivery event event_list moment mutation retry_after retry_policy seek_token
        seek_token_uri traceparent upstream_reply upstream_reply_forms)
    specify(unit ${name} seek_domain)
endforeach()
can_fail_allocations(upstream_reply_test)
target_link_libraries(seek_token_test PRIVATE PkgConfig::OPENSSL)
can_fail_allocations(seek_token_test EVP_Digest)
# Allocations fail one after the other in this one.
target_link_options(event_list_test PRIVATE
    -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup,--wrap=strndup)

foreach(name base64 cloud_event delivery event event_list mutation retry_after retry_policy seek_token
        seek_token_uri sha256 traceparent upstream_reply)
    specify(unit ${name} seek_domain)
endforeach()
can_fail_allocations(upstream_reply_test)
# Allocations fail one after the other in this one.
target_link_options(event_list_test PRIVATE
    -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup,--wrap=strndup)

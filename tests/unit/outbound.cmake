foreach(name access_token attempt circuit_breaker due_watch in_flight_limit outage rate_limiter recorder sending_gate)
    specify(unit ${name} seek_outbound)
endforeach()
replace_calls(recorder_test store_settle clock_monotonic_ms)

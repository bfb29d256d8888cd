foreach(name access_token attempt circuit_breaker due_watch in_flight_limit rate_limiter sending_gate)
    specify(unit ${name} seek_outbound)
endforeach()

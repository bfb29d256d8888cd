# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
foreach(name absence access_token access_token_rejection attempt authorizer circuit_breaker claim_limit claimer claimer_places due_watch in_flight_limit issuer_answer outage outcome_watch rate_limiter recorder refusal_brake retry_ages sending_gate starting)
    specify(unit ${name} seek_outbound)
endforeach()
replace_calls(absence_test store_shard_count store_takes_events_for)
replace_calls(claimer_test store_claim sender_send authorizer_prepare clock_monotonic_ms)
replace_calls(claimer_places_test store_claim sender_send authorizer_prepare clock_monotonic_ms)
replace_calls(starting_test sender_send authorizer_prepare clock_monotonic_ms)
replace_calls(authorizer_test access_token_acquire access_token_failed access_token_refreshed access_token_request
    due_watch_wake_one upstream_fetch_token upstream_note_token_answer)
replace_calls(recorder_test store_settle store_brake store_leads_to clock_monotonic_ms)
foreach(name access_token access_token_rejection)
    target_sources(${name}_test PRIVATE support/access_token_stand.c)
endforeach()

# What is given back is looked through.
specify(unit wiping seek_outbound)
replace_calls(wiping_test free realloc)

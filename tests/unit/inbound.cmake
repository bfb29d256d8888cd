# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
foreach(name application_document application_table batch batch_lanes census cursor health media_type origin problem routes spool_batch tail_ring wait waiting_room)
    specify(unit ${name} seek_inbound)
endforeach()
replace_calls(batch_test store_accept store_health store_shard_count
    store_takes_events_for)
replace_calls(batch_lanes_test store_accept store_health store_shard_count
    store_takes_events_for)
can_fail_allocations(spool_batch_test
    store_accept store_health store_shard_count spool_submit spool_is_done spool_stamp spool_life spool_is_holding_for)
replace_calls(health_test intake_pool_status spool_status intake_pool_heartbeat spool_heartbeat)
replace_calls(census_test store_census store_shard_count)
# The documents that list every problem are compared with the table.
target_compile_definitions(problem_test PRIVATE PROJECT_DIRECTORY="${PROJECT_SOURCE_DIR}")

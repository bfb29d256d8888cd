foreach(name application_document batch census cursor health media_type origin problem routes spool_batch wait waiting_room)
    specify(unit ${name} seek_inbound)
endforeach()
replace_calls(batch_test store_accept store_health store_is_confirming)
can_fail_allocations(spool_batch_test
    store_accept store_health store_is_confirming spool_submit spool_is_done spool_stamp spool_is_holding)
replace_calls(health_test intake_pool_status spool_status)
replace_calls(census_test store_census)
# The documents that list every problem are compared with the table.
target_compile_definitions(problem_test PRIVATE PROJECT_DIRECTORY="${PROJECT_SOURCE_DIR}")

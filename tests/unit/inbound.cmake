foreach(name application_document batch census cursor health media_type origin problem routes wait waiting_room)
    specify(unit ${name} seek_inbound)
endforeach()
replace_calls(batch_test store_accept store_health)
replace_calls(census_test store_census)
# The documents that list every problem are compared with the table.
target_compile_definitions(problem_test PRIVATE PROJECT_DIRECTORY="${PROJECT_SOURCE_DIR}")

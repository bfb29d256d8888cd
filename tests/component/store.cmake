specify(unit durability seek_store)
specify(unit preflight seek_store)
specify(unit refusal seek_store)

add_library(store_peers STATIC support/store_driver.c)
target_link_libraries(store_peers PUBLIC seek_store redis_peers PRIVATE PkgConfig::CMOCKA)

specify(component applications store_peers)
specify(component confirmation store_peers)
specify(component leases store_peers)
specify(component operations store_peers)
specify(component store_faults store_peers)
specify(component store store_peers)
can_fail_allocations(store_test log_write)

# Random walks over the scripts, and the proof that they would notice.
foreach(check walk bugs)
    set(arguments ${CMAKE_SOURCE_DIR}/service/store/scripts)
    if(check STREQUAL "bugs")
        list(APPEND arguments --bugs --steps 20000)
    endif()
    add_test(NAME component/store_model_${check}
        COMMAND /usr/bin/python3 -B ${CMAKE_CURRENT_LIST_DIR}/store_model_check.py ${arguments})
    set_tests_properties(component/store_model_${check} PROPERTIES LABELS component TIMEOUT 120)
endforeach()

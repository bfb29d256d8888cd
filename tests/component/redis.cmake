# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# Real and misbehaving peers for everything that talks to Redis.
add_library(redis_peers STATIC support/deaf_listener.c support/fake_redis.c support/redis_cluster.c support/redis_server.c support/redis_subject.c
    support/stored_fields.c)
target_link_libraries(redis_peers PUBLIC seek_net PkgConfig::CMOCKA)

specify(unit redis_url seek_net)
specify(component redis_server redis_peers)
specify(component redis_client redis_peers)
specify(component redis_client_load redis_peers)
can_fail_allocations(redis_client_load_test redisReaderCreate epoll_ctl)
specify(component redis_client_loop redis_peers)
specify(component redis_client_faults redis_peers)
replace_calls(redis_client_faults_test clock_monotonic_ms)
specify(component redis_sentinel redis_peers)
replace_calls(redis_sentinel_test getaddrinfo)
specify(component redis_client_dial redis_peers)
# Names that are slow, unknown or have several addresses.
replace_calls(redis_client_dial_test getaddrinfo)
specify(component embedded_redis redis_peers seek_private_redis)

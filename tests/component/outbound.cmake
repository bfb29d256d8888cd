add_library(fake_http STATIC support/fake_http.c)
target_link_libraries(fake_http PUBLIC seek_base)

specify(component http_client seek_net fake_http)
specify(component worker_pool seek_outbound store_peers fake_http)

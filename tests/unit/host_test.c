/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/net/host.h"

#include "tests/support/specification.h"

static void writes_a_host_with_its_port(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        uint16_t port;
        const char *text;
    } rows[] = {
        {"cache", 6379, "cache:6379"}, {"10.0.0.7", 0, "10.0.0.7:0"}, {"::1", 1, "[::1]:1"}};
    char text[HOST_PORT_BYTES];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        host_port_write(rows[i].host, rows[i].port, text);
        assert_string_equal(text, rows[i].text);
    }
    char longest[HOST_BYTES] = "";
    memset(longest, ':', sizeof longest - 1);
    host_port_write(longest, 65535, text);
    assert_string_equal(text + HOST_BYTES, "]:65535");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("writes a host with its port, IPv6 in brackets", writes_a_host_with_its_port),
    };
    return cmocka_run_group_tests_name("host", tests, NULL, NULL);
}

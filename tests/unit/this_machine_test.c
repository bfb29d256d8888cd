/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/net/this_machine.h"

#include "tests/support/specification.h"

static const char *const own[] = {"127.0.0.1",
                                  "127.0.0.2",
                                  "127.255.255.255",
                                  "127.1",
                                  "127.0.1",
                                  "0x7f.0.0.1",
                                  "0177.0.0.1",
                                  "2130706433",
                                  "::1",
                                  "[::1]",
                                  "0:0:0:0:0:0:0:1",
                                  "::ffff:127.0.0.1",
                                  "[::ffff:127.9.9.9]",
                                  "::ffff:7f00:1",
                                  "localhost",
                                  "LOCALHOST",
                                  "localhost.",
                                  "seek.localhost",
                                  "seek.localhost.",
                                  "ip6-localhost",
                                  "ip6-loopback",
                                  "ip6-localhost."};

static const char *const foreign[] = {"",
                                      ".",
                                      "..",
                                      "[",
                                      "]",
                                      "[]",
                                      "128.0.0.1",
                                      "126.255.255.255",
                                      "0.0.0.0",
                                      "::",
                                      "[::]",
                                      "192.168.0.1",
                                      "127.0.0.1.evil.example",
                                      "127.evil.example",
                                      "localhost.evil.example",
                                      "evil-localhost",
                                      "notlocalhost",
                                      ".localhost.example",
                                      "localhost..",
                                      "::2",
                                      "::127.0.0.1",
                                      "::ffff:128.0.0.1",
                                      "fe80::1",
                                      "127.0.0.256",
                                      "127.0.0.1 ",
                                      " 127.0.0.1",
                                      "localhost:80",
                                      "[localhost",
                                      "local\xc4\xb1host",
                                      "ip6-allnodes",
                                      "graphql.seek.com"};

static void knows_every_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        if (!this_machine_is_host(own[i], strlen(own[i])))
            fail_msg("not taken for this machine: %s", own[i]);
    }
}

static void takes_nobody_else_for_it(void **state)
{
    (void)state;
    char endless[1024];
    memset(endless, 'a', sizeof endless);
    memcpy(endless + sizeof endless - 11, ".localhost", 11);
    assert_false(this_machine_is_host(endless, strlen(endless)));
    assert_false(this_machine_is_host("localhost\0.evil", 15));
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        if (this_machine_is_host(foreign[i], strlen(foreign[i])))
            fail_msg("taken for this machine: %s", foreign[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("knows this machine by every form of its loopback addresses and names",
           knows_every_form),
        IT("takes nobody else for it", takes_nobody_else_for_it),
    };
    return cmocka_run_group_tests_name("this_machine", tests, NULL, NULL);
}

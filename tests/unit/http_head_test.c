/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/net/http_head.h"

#include "tests/support/specification.h"

enum { FIELDS_MAX = 4 };

struct head_case {
    const char *version;
    const char *fields[FIELDS_MAX][2]; /* name, value */
    bool is_sound;
    bool has_body;
};

static struct http_head head_of(const struct head_case *each)
{
    struct http_head head = {.hosts = 0};
    for (size_t i = 0; i < FIELDS_MAX && each->fields[i][0] != NULL; i++)
        http_head_note(&head, each->fields[i][0], each->fields[i][1]);
    return head;
}

/* clang-format off */
static const struct head_case head_cases[] = {
    /* version    fields                                                          sound  body */
    {"HTTP/1.1", {{"Host", "a"}},                                                 true,  false},
    {"HTTP/1.1", {{"HOST", "a"}, {"content-length", "0"}},                        true,  false},
    {"HTTP/1.1", {{"Host", "a"}, {"Content-Length", "12"}},                       true,  true},
    {"HTTP/1.1", {{"Host", "a"}, {"Transfer-Encoding", "Chunked"}},               true,  true},
    {"HTTP/1.0", {{"Content-Length", "12"}},                                      true,  true},
    {"HTTP/1.1", {{"Content-Length", "12"}},                                      false, true},
    {"HTTP/1.2", {{"Accept", "a"}},                                               false, false},
    {"HTTP/1.1", {{"Host", "a"}, {"Host", "a"}},                                  false, false},
    {"HTTP/1.0", {{"Host", "a"}, {"Host", "b"}},                                  false, false},
    {"HTTP/1.1", {{"Host", "a"}, {"Content-Length", "1"}, {"Content-Length", "1"}}, false, true},
    {"HTTP/1.1", {{"Host", "a"}, {"Content-Length", "1"}, {"Transfer-Encoding", "chunked"}}, false, true},
    {"HTTP/1.1", {{"Host", "a"}, {"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "chunked"}}, false, true},
    {"HTTP/1.1", {{"Host", "a"}, {"Transfer-Encoding", "gzip, chunked"}},         false, true},
    {"HTTP/1.1", {{"Host", "a"}, {"Transfer-Encoding", "identity"}},              false, true},
    {"HTTP/1.1", {{"Host", "a"}, {"Transfer-Encoding", NULL}},                    false, true},
};

static const struct { const char *target; bool is_valid; const char *path; } targets[] = {
    {"/v1/events",                      true,  "/v1/events"},
    {"/a%20b?c=d%2F",                   true,  "/a%20b?c=d%2F"},
    {"/a%00b",                          true,  "/a%00b"}, /* the path is not decoded here */
    {"*",                               true,  "*"},
    {"http://host:80/a?b",              true,  "/a?b"},
    {"HTTP://host",                     true,  "/"},
    {"http://host?a/b",                 true,  "/"},
    {"/?a=%00",                         false, "/?a=%00"},
    {"/a b",                            false, "/a b"},
    {"/a\tb",                           false, "/a\tb"},
    {"/a\x7f",                          false, "/a\x7f"},
    {"/caf\xc3\xa9",                    false, "/caf\xc3\xa9"},
};
/* clang-format on */

static void judges_framing_and_host(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof head_cases / sizeof *head_cases; i++) {
        struct http_head head = head_of(&head_cases[i]);
        if (http_head_is_sound(&head, head_cases[i].version) != head_cases[i].is_sound ||
            http_head_has_body(&head) != head_cases[i].has_body)
            fail_msg("case %zu", i);
    }
}

static void saturates_the_body_length(void **state)
{
    (void)state;
    struct http_head head = {.hosts = 0};
    http_head_note(&head, "Content-Length", "99999999999999999999999");

    assert_true(http_head_body_length(&head) == UINT64_MAX);
}

static void judges_targets(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        if (http_target_is_valid(targets[i].target) != targets[i].is_valid)
            fail_msg("%s", targets[i].target);
        assert_string_equal(http_target_path(targets[i].target), targets[i].path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("accepts one host and one unambiguous length of the body, nothing else",
           judges_framing_and_host),
        IT("reads a body length beyond 64 bits as the largest", saturates_the_body_length),
        IT("accepts visible ASCII targets, takes the path of an absolute one, refuses a NUL in the "
           "query",
           judges_targets),
    };
    return cmocka_run_group_tests_name("http_head", tests, NULL, NULL);
}

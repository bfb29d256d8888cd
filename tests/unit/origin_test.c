/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "service/inbound/origin.h"

#include "tests/support/specification.h"

#define LOCAL .is_local_and_keyless = true

static void must_judge(const struct origin_facts *facts, enum origin_verdict expected)
{
    enum origin_verdict verdict = origin_judge(facts);
    if (verdict != expected)
        fail_msg("%s host %s origin %s site %s: %d instead of %d", facts->method,
                 facts->host != NULL ? facts->host : "-",
                 facts->origin != NULL ? facts->origin : "-",
                 facts->fetch_site != NULL ? facts->fetch_site : "-", verdict, expected);
}

static void knows_this_machine(void **state)
{
    (void)state;
    static const char *const names[] = {
        "127.0.0.1", "127.0.0.1:8787", "127.9.9.9:1",        "[::1]:8787",
        "[::1]",     "localhost",      "LocalHost:8787",     "ats.localhost:8787",
        "",          "localhost.",     "ip6-localhost:8787", "[::ffff:127.0.0.1]:8787",
        "127.1",     "2130706433",     "::1:8787",           "::1",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        must_judge(&(struct origin_facts){.method = "GET", .host = names[i], LOCAL}, ORIGIN_FINE);
    must_judge(&(struct origin_facts){.method = "GET", LOCAL}, ORIGIN_FINE); /* HTTP/1.0 */
}

static void knows_foreign_names(void **state)
{
    (void)state;
    static const char *const names[] = {
        "evil.example",
        "evil.example:8787",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "evillocalhost",
        ".localhost.evil",
        "128.0.0.1",
        "0.0.0.0:8787",
        "10.0.0.1",
        "[::2]:8787",
        "[fe80::1]",
        "localhost@evil.example",
        "[evil]",
        "[",
        "::2:8787",
        "::1.evil.example",
        "::1:evil.example",
        "::1:evil.example:8787",
        "evil.example::1",
        ":8787",
        ":",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        must_judge(&(struct origin_facts){.method = "GET", .host = names[i], LOCAL},
                   ORIGIN_FOREIGN_HOST);
    char longest[400];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    must_judge(&(struct origin_facts){.method = "GET", .host = longest, LOCAL},
               ORIGIN_FOREIGN_HOST);
}

static void takes_any_name_elsewhere(void **state)
{
    (void)state;
    must_judge(&(struct origin_facts){.method = "GET", .host = "signal.ats.example"}, ORIGIN_FINE);
    must_judge(&(struct origin_facts){.method = "POST", .host = "signal.ats.example"}, ORIGIN_FINE);
}

static const struct {
    const char *fetch_site, *origin;
    enum origin_verdict verdict; /* of a change, and of reading but for a link */
} sites[] = {
    {NULL, NULL, ORIGIN_FINE},
    {"same-origin", NULL, ORIGIN_FINE},
    {"none", NULL, ORIGIN_FINE},
    {"same-site", NULL, ORIGIN_FOREIGN_SITE},
    {"cross-site", NULL, ORIGIN_FOREIGN_SITE},
    {"anything", NULL, ORIGIN_FOREIGN_SITE},
    {"", NULL, ORIGIN_FOREIGN_SITE},
    /* What the browser says of the site counts more than names, which a proxy may change. */
    {"same-origin", "https://signal.ats.example", ORIGIN_FINE},
    {"cross-site", "http://localhost:8787", ORIGIN_FOREIGN_SITE},
    {NULL, "http://localhost:8787", ORIGIN_FINE},
    {NULL, "https://LOCALHOST:8787", ORIGIN_FINE},
    {NULL, "http://localhost:3000", ORIGIN_FOREIGN_SITE},
    {NULL, "http://localhost", ORIGIN_FOREIGN_SITE},
    {NULL, "http://127.0.0.1:8787", ORIGIN_FOREIGN_SITE},
    {NULL, "http://localhost:87870", ORIGIN_FOREIGN_SITE},
    {NULL, "http://evil.example", ORIGIN_FOREIGN_SITE},
    {NULL, "null", ORIGIN_FOREIGN_SITE},
    {NULL, "", ORIGIN_FOREIGN_SITE},
};

static void judges_changes_by_their_site(void **state)
{
    (void)state;
    static const char *const changing[] = {"POST", "PUT", "DELETE", "PATCH", "get"};
    for (size_t i = 0; i < sizeof sites / sizeof sites[0]; i++)
        for (size_t method = 0; method < sizeof changing / sizeof changing[0]; method++)
            must_judge(&(struct origin_facts){.method = changing[method],
                                              .host = "localhost:8787",
                                              .origin = sites[i].origin,
                                              .fetch_site = sites[i].fetch_site,
                                              LOCAL},
                       sites[i].verdict);
}

static const char *const reading[] = {"GET", "HEAD", "OPTIONS"};
enum { READING_COUNT = sizeof reading / sizeof reading[0] };

/* Whether an <object>, an image or a script loads tells what is here. */
static void judges_reading_by_its_site(void **state)
{
    (void)state;
    static const struct {
        const char *mode, *dest;
        bool is_link;
    } ways[] = {
        {NULL, NULL, false},           {"no-cors", "image", false},    {"no-cors", "script", false},
        {"navigate", "object", false}, {"navigate", "iframe", false},  {"navigate", "embed", false},
        {"navigate", NULL, false},     {"no-cors", "document", false}, {"cors", "empty", false},
        {NULL, "document", false},     {"navigate", "document", true},
    };
    for (size_t i = 0; i < sizeof sites / sizeof sites[0]; i++)
        for (size_t method = 0; method < READING_COUNT; method++)
            for (size_t way = 0; way < sizeof ways / sizeof ways[0]; way++)
                must_judge(&(struct origin_facts){.method = reading[method],
                                                  .host = "localhost:8787",
                                                  .origin = sites[i].origin,
                                                  .fetch_site = sites[i].fetch_site,
                                                  .fetch_mode = ways[way].mode,
                                                  .fetch_dest = ways[way].dest,
                                                  LOCAL},
                           ways[way].is_link ? ORIGIN_FINE : sites[i].verdict);
}

static void no_link_changes_anything(void **state)
{
    (void)state;
    must_judge(&(struct origin_facts){.method = "POST",
                                      .host = "localhost:8787",
                                      .fetch_site = "cross-site",
                                      .fetch_mode = "navigate",
                                      .fetch_dest = "document"},
               ORIGIN_FOREIGN_SITE);
}

static void an_origin_needs_a_host_to_be_the_same(void **state)
{
    (void)state;
    must_judge(&(struct origin_facts){.method = "POST", .origin = "http://localhost:8787"},
               ORIGIN_FOREIGN_SITE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("knows the names of this machine", knows_this_machine),
        IT("refuses other names where it is bound to loopback", knows_foreign_names),
        IT("takes any name elsewhere, and with an API key", takes_any_name_elsewhere),
        IT("lets only its own page and programs change something", judges_changes_by_their_site),
        IT("lets another site's page read nothing, not even whether it is there",
           judges_reading_by_its_site),
        IT("takes no form of another site for a link", no_link_changes_anything),
        IT("does not take an origin for its own without a host",
           an_origin_needs_a_host_to_be_the_same),
    };
    return cmocka_run_group_tests_name("origin", tests, NULL, NULL);
}

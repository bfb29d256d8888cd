/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "lib/net/redis_client.h"

#include "tests/support/specification.h"

#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

/* And no seeds. */
#define NO_SENTINELS                                                                               \
    {.count = 0},                                                                                  \
    {                                                                                              \
        .count = 0                                                                                 \
    }

struct good {
    const char *text;
    struct redis_url url;
};

static void writes_each_form(void **state)
{
    (void)state;
    static const struct {
        const char *text, *place;
    } rows[] = {
        {"valkey://ada:geheim@cache", "redis://cache:6379"},
        {"rediss://:geheim@[::1]:1/15", "rediss://[::1]:1/15"},
        {"unix://ada:geheim@/run/redis.sock?db=3", "unix:///run/redis.sock?db=3"},
        {"redis+cluster://ada:geheim@one:1,two", "redis+cluster://one:1,two:6379"},
        {"valkeys+cluster://one", "rediss+cluster://one:6379"},
        {"rediss+sentinel://ada:geheim@one,two:2/name/4?sentinelPassword=auch",
         "rediss+sentinel://one:26379,two:2/name/4"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct redis_url url;
        struct error error = {.message = ""};
        char place[128], cut[6];
        if (!redis_url_parse(rows[i].text, &url, &error))
            fail_msg("%s: %s", rows[i].text, error.message);
        redis_url_write_place(&url, place, sizeof place);
        assert_string_equal(place, rows[i].place);
        redis_url_write_place(&url, cut, sizeof cut);
        assert_memory_equal(cut, rows[i].place, sizeof cut - 1);
        assert_int_equal(cut[sizeof cut - 1], '\0');
    }
}

static void reads_each_form(void **state)
{
    (void)state;
    static const struct good rows[] = {
        {"redis://cache", {REDIS_TCP, "cache", 6379, 0, "", "", NO_SENTINELS}},
        {"redis://cache/", {REDIS_TCP, "cache", 6379, 0, "", "", NO_SENTINELS}},
        {"redis://10.0.0.7:1/15", {REDIS_TCP, "10.0.0.7", 1, 15, "", "", NO_SENTINELS}},
        {"redis://[::1]", {REDIS_TCP, "::1", 6379, 0, "", "", NO_SENTINELS}},
        {"redis://[fe80::1]:65535/1", {REDIS_TCP, "fe80::1", 65535, 1, "", "", NO_SENTINELS}},
        {"rediss://cache:6380", {REDIS_TLS, "cache", 6380, 0, "", "", NO_SENTINELS}},
        {"redis://:geheim@cache", {REDIS_TCP, "cache", 6379, 0, "", "geheim", NO_SENTINELS}},
        {"redis://ada:geheim@cache", {REDIS_TCP, "cache", 6379, 0, "ada", "geheim", NO_SENTINELS}},
        {"redis://@cache", {REDIS_TCP, "cache", 6379, 0, "", "", NO_SENTINELS}},
        {"redis://a%40b:p%3aq%2F%25@cache",
         {REDIS_TCP, "cache", 6379, 0, "a@b", "p:q/%", NO_SENTINELS}},
        {"redis://:p@q@cache", {REDIS_TCP, "cache", 6379, 0, "", "p@q", NO_SENTINELS}},
        {"redis://:p:q@cache:7", {REDIS_TCP, "cache", 7, 0, "", "p:q", NO_SENTINELS}},
        {"unix:///run/redis.sock", {REDIS_UNIX, "/run/redis.sock", 0, 0, "", "", NO_SENTINELS}},
        {"unix:///run/a%20b?db=3", {REDIS_UNIX, "/run/a b", 0, 3, "", "", NO_SENTINELS}},
        {"unix://ada:geheim@/run/redis.sock",
         {REDIS_UNIX, "/run/redis.sock", 0, 0, "ada", "geheim", NO_SENTINELS}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct redis_url url;
        struct error error = {.message = ""};
        if (!redis_url_parse(rows[i].text, &url, &error))
            fail_msg("%s: %s", rows[i].text, error.message);
        assert_int_equal(url.scheme, rows[i].url.scheme);
        assert_string_equal(url.host, rows[i].url.host);
        assert_int_equal(url.port, rows[i].url.port);
        assert_int_equal(url.database, rows[i].url.database);
        assert_string_equal(url.user, rows[i].url.user);
        assert_string_equal(url.password, rows[i].url.password);
    }
}

static void reads_sentinels(void **state)
{
    (void)state;
    struct redis_url url;
    struct error error = {.message = ""};
    assert_true(redis_url_parse("redis+sentinel://ada:p%2Cq@s1,10.0.0.7:1,[::1]:7/the%20master/3"
                                "?sentinelPassword=g%26h",
                                &url, &error));
    assert_int_equal(url.scheme, REDIS_TCP);
    assert_string_equal(url.host, "");
    assert_int_equal(url.database, 3);
    assert_string_equal(url.user, "ada");
    assert_string_equal(url.password, "p,q");
    assert_int_equal(url.sentinels.count, 3);
    assert_string_equal(url.sentinels.addresses[0].host, "s1");
    assert_int_equal(url.sentinels.addresses[0].port, 26379);
    assert_string_equal(url.sentinels.addresses[1].host, "10.0.0.7");
    assert_int_equal(url.sentinels.addresses[1].port, 1);
    assert_string_equal(url.sentinels.addresses[2].host, "::1");
    assert_int_equal(url.sentinels.addresses[2].port, 7);
    assert_string_equal(url.sentinels.master, "the master");
    assert_string_equal(url.sentinels.password, "g&h");
    assert_true(redis_url_parse("redis+sentinel://s1/m/", &url, &error));
    assert_int_equal(url.database, 0);
    assert_string_equal(url.password, "");
    assert_string_equal(url.sentinels.password, "");
}

static void reads_the_seeds_of_a_cluster(void **state)
{
    (void)state;
    struct redis_url url;
    struct error error = {.message = ""};
    assert_true(
        redis_url_parse("valkeys+cluster://ada:p%2Cq@c1,10.0.0.7:1,[::1]:7/0", &url, &error));
    assert_int_equal(url.scheme, REDIS_TLS);
    assert_string_equal(url.host, "");
    assert_string_equal(url.user, "ada");
    assert_string_equal(url.password, "p,q");
    assert_int_equal(url.sentinels.count, 0);
    assert_int_equal(url.seeds.count, 3);
    assert_string_equal(url.seeds.addresses[0].host, "c1");
    assert_int_equal(url.seeds.addresses[0].port, 6379);
    assert_int_equal(url.seeds.addresses[1].port, 1);
    assert_string_equal(url.seeds.addresses[2].host, "::1");
    assert_true(redis_url_parse("redis+cluster://c1", &url, &error));
    assert_int_equal(url.seeds.count, 1);
    assert_int_equal(url.scheme, REDIS_TCP);
}

/* A cloud's token may be some KiB long, and a ? that nobody encoded is a part of it. */
static void takes_a_long_password(void **state)
{
    (void)state;
    char text[REDIS_PASSWORD_BYTES + 64], password[REDIS_PASSWORD_BYTES + 1];
    struct redis_url url;
    struct error error;
    memset(password, 'x', sizeof password);
    password[0] = '?';
    password[REDIS_PASSWORD_BYTES - 1] = '\0';
    (void)snprintf(text, sizeof text, "valkeys://iam:%s@cache", password);
    assert_true(redis_url_parse(text, &url, &error));
    assert_string_equal(url.password, password);
    assert_int_equal(url.scheme, REDIS_TLS);
    password[REDIS_PASSWORD_BYTES - 1] = 'x';
    password[REDIS_PASSWORD_BYTES] = '\0';
    (void)snprintf(text, sizeof text, "valkeys://iam:%s@cache", password);
    assert_false(redis_url_parse(text, &url, &error));
    assert_non_null(strstr(error.message, "longer than 8191 bytes"));
}

static void refuses_what_it_does_not_understand(void **state)
{
    (void)state;
    static const struct {
        const char *text, *because;
    } rows[] = {
        {"", "starts with"},
        {"cache:6379", "starts with"},
        {"http://cache", "starts with"},
        {"REDIS://cache", "starts with"},
        {"redis://c1,c2:6379", "several hosts"},
        {"rediss://c1:6379,c2:6379", "several hosts"},
        {"redis+cluster://", "the host is missing"},
        {"redis+cluster://c1,,c2", "the host is missing"},
        {"redis+cluster://c1/1", "a cluster has no database but 0"},
        {"redis+cluster://c1?x=1", "the part after the ? is not supported"},
        {"rediss+cluster://1,2,3,4,5,6,7,8,9", "at most 8 nodes of a cluster"},
        {"redis+sentinel://s1", "master's name is missing"},
        {"redis+sentinel://s1/", "master's name is missing"},
        {"redis+sentinel://s1/?sentinelPassword=p", "master's name is missing"},
        {"redis+sentinel:///applications", "host is missing"},
        {"redis+sentinel://s1,,s2/applications", "host is missing"},
        {"redis+sentinel://s1,/applications", "host is missing"},
        {"redis+sentinel://s1:x/applications", "port must be"},
        {"redis+sentinel://s1/applications/x", "database must be"},
        {"redis+sentinel://s1/applications/0/1", "database must be"},
        {"redis+sentinel://s1/applications?password=p", "?sentinelPassword="},
        {"redis+sentinel://s1/applications?sentinelPassword=%", "not an escape"},
        {"redis+sentinel://a,b,c,d,e,f,g,h,i/applications", "at most 8"},
        {"redis+sentinel://ada@s1/applications", "without a password"},
        {"redis:/cache", "starts with"},
        {"redis://", "host is missing"},
        {"redis://:6379", "host is missing"},
        {"redis:///0", "host is missing"},
        {"redis://[]", "host is missing"},
        {"redis://cache:", "port must be"},
        {"redis://cache:0", "port must not be 0"},
        {"redis://cache:65536", "port must be"},
        {"redis://cache:-1", "port must be"},
        {"redis://cache: 1", "port must be"},
        {"redis://cache:6379x", "port must be"},
        {"redis://cache:99999999999999999999", "port must be"},
        {"redis://cache/x", "database must be"},
        {"redis://cache/0/1", "database must be"},
        {"redis://cache/70000", "database must be"},
        {"redis://::1", "[ ]"},
        {"redis://fe80::1:6379", "[ ]"},
        {"redis://[::1", "without ]"},
        {"redis://[::1]6379", "may follow"},
        {"redis://ca che", "no host name"},
        {"redis://cache?db=1", "the part after the ?"},
        {"rediss://cache/0?ssl_cert_reqs=none", "the part after the ?"},
        {"redis://ada:p@cache:1/?timeout=5", "the part after the ?"},
        {"redis://ada@cache", "without a password"},
        {"redis://:geheim%@cache", "not an escape"},
        {"redis://:geheim%4@cache", "not an escape"},
        {"redis://:geheim%xy@cache", "not an escape"},
        {"redis://:geheim%00x@cache", "not an escape"},
        {"redis://" HUNDRED TEN TEN TEN ":p@cache", "127"},
        {"redis://" HUNDRED HUNDRED HUNDRED, "255"},
        {"unix://run/redis.sock", "absolute"},
        {"unix://", "absolute"},
        {"unix:///run/redis.sock?database=1", "?db=N"},
        {"unix:///run/redis.sock?db=", "database must be"},
        {"unix:///run/redis.sock?db=x", "database must be"},
        {"unix:///" HUNDRED TEN, "107"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct redis_url url, before;
        memset(&url, 'x', sizeof url);
        before = url;
        struct error error = {.message = ""};
        if (redis_url_parse(rows[i].text, &url, &error))
            fail_msg("%s was accepted", rows[i].text);
        assert_int_equal(error.kind, ERROR_CONFIG);
        if (strstr(error.message, rows[i].because) == NULL)
            fail_msg("%s: %s", rows[i].text, error.message);
        assert_memory_equal(&url, &before, sizeof url);
    }
}

/* However a URL is mistyped, what it holds as password stays out of the message. */
static void never_repeats_a_password(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "redis://:geheim",
        "redis://:geheim@",
        "redis://ada:geheim@:1",
        "redis://ada:geheim@h:x",
        "redis://ada:geheim@h/x",
        "redis://ada:geheim%@h",
        "redis://ada:geh/geheim@h",
        "unix://ada:geheim@h",
        "rediss//ada:geheim@h",
        "redis://ada:geheim@h:0",
        "unix://:geheim@/run?db=x",
        "redis://ada:geheim@[h",
        "redis+sentinel://ada:geheim@s1",
        "redis+sentinel://ada:geheim@s1,s2:x/applications",
        "redis+sentinel://s1/applications/x?sentinelPassword=geheim",
        "redis+sentinel://s1/applications?sentinelPassword=geheim%",
        "redis+sentinel://s1/applications?Password=geheim",
        "redis+cluster://ada:geheim@c1/1",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct redis_url url;
        struct error error = {.message = ""};
        assert_false(redis_url_parse(texts[i], &url, &error));
        assert_null(strstr(error.message, "geheim"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("reads the seeds of a cluster", reads_the_seeds_of_a_cluster),
        IT("reads each form of a Redis URL", reads_each_form),
        IT("reads the sentinels to ask for the master", reads_sentinels),
        IT("writes each form without what is secret", writes_each_form),
        IT("takes a password as long as a token", takes_a_long_password),
        IT("refuses what it does not understand, saying why", refuses_what_it_does_not_understand),
        IT("never repeats a password in an error", never_repeats_a_password),
    };
    return cmocka_run_group_tests_name("redis_url", tests, NULL, NULL);
}

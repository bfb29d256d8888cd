/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "service/store/durability.h"

#include "tests/support/specification.h"

static void must_be(const char *text, enum durability_level level, unsigned replicas)
{
    struct durability durability;
    assert_true(durability_parse(text, &durability));
    assert_int_equal(durability.level, level);
    assert_int_equal(durability.replicas, replicas);
    assert_string_equal(durability_name(durability), text);
}

static void has_a_name_for_each(void **state)
{
    (void)state;
    must_be("any", DURABILITY_ANY, 0);
    must_be("redis", DURABILITY_REDIS, 0);
    must_be("fsync", DURABILITY_FSYNC, 0);
    for (unsigned i = 1; i <= DURABILITY_REPLICAS_MAX; i++) {
        char text[16];
        (void)snprintf(text, sizeof text, "replicas:%u", i);
        must_be(text, DURABILITY_REPLICAS, i);
    }
}

static void refuses_other_names(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "Redis",
                                        "disk",
                                        "replicas",
                                        "replicas:",
                                        "replicas:0",
                                        "replicas:17",
                                        "replicas:01",
                                        "replicas:1 ",
                                        "replicas:-1",
                                        "replicas:1x",
                                        "fsync:1"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct durability durability = {DURABILITY_FSYNC, 0};
        assert_false(durability_parse(texts[i], &durability));
        assert_int_equal(durability.level, DURABILITY_FSYNC);
    }
}

/* In ascending order, each satisfies itself and those before it, and nothing after it. */
static void ascends(void **state)
{
    (void)state;
    static const char *const ascending[] = {"any",        "redis",      "fsync",
                                            "replicas:1", "replicas:2", "replicas:16"};
    for (size_t i = 0; i < sizeof ascending / sizeof ascending[0]; i++) {
        for (size_t j = 0; j < sizeof ascending / sizeof ascending[0]; j++) {
            struct durability given, demanded;
            assert_true(durability_parse(ascending[i], &given));
            assert_true(durability_parse(ascending[j], &demanded));
            assert_int_equal(durability_satisfies(given, demanded), i >= j);
            assert_int_equal(durability_equals(given, demanded), i == j);
        }
    }
}

/* A disk is what fsync demands too, but no machine besides. */
static void the_spool_is_given_and_never_demanded(void **state)
{
    (void)state;
    const struct durability spool = {.level = DURABILITY_SPOOL};
    struct durability demanded;
    assert_string_equal(durability_name(spool), "spool");
    assert_false(durability_parse("spool", &demanded));
    assert_true(durability_parse("fsync", &demanded) && durability_satisfies(spool, demanded));
    assert_true(durability_parse("any", &demanded) && durability_satisfies(spool, demanded));
    assert_true(durability_parse("replicas:1", &demanded));
    assert_false(durability_satisfies(spool, demanded));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("has a name for each durability", has_a_name_for_each),
        IT("refuses other names", refuses_other_names),
        IT("ascends", ascends),
        IT("gives the spool as a level that nobody can demand",
           the_spool_is_given_and_never_demanded),
    };
    return cmocka_run_group_tests_name("durability", tests, NULL, NULL);
}

/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/sandbox/fault_script.h"

#include "tests/support/failing_malloc.h"
#include "tests/support/specification.h"

static int begin(void **state)
{
    *state = fault_script_create(1, NULL);
    return *state == NULL;
}

static int end(void **state)
{
    fault_script_destroy(*state);
    return 0;
}

static bool add(struct fault_script *script, const char *text, struct error *error)
{
    AUTO(json) *json = json_parse(text, strlen(text), NULL);
    assert_non_null(json);
    return fault_script_add(script, json_root(json), error);
}

static void must_take(struct fault_script *script, enum fault_target target, const char *seek_token,
                      const char *name)
{
    struct fault fault;
    bool is_taken = fault_script_take(script, target, seek_token, &fault);
    assert_string_equal(is_taken ? fault_name(&fault) : "none", name);
}

static void plays_faults_in_their_order(void **state)
{
    assert_true(add(*state, "[{\"kind\":\"reset\",\"count\":2},{\"kind\":\"empty\"}]", NULL));
    assert_true(add(*state, "{\"kind\":\"hang\"}", NULL));
    must_take(*state, FAULT_ON_GRAPHQL, "t", "reset");
    must_take(*state, FAULT_ON_GRAPHQL, NULL, "reset");
    must_take(*state, FAULT_ON_GRAPHQL, "t", "empty");
    must_take(*state, FAULT_ON_GRAPHQL, "t", "hang");
    must_take(*state, FAULT_ON_GRAPHQL, "t", "none");
}

static void keeps_the_two_endpoints_apart(void **state)
{
    assert_true(add(*state, "[{\"kind\":\"reset\",\"on\":\"token\"},{\"kind\":\"empty\"}]", NULL));
    must_take(*state, FAULT_ON_GRAPHQL, "t", "empty");
    must_take(*state, FAULT_ON_GRAPHQL, "t", "none");
    must_take(*state, FAULT_ON_TOKEN, NULL, "reset");
    must_take(*state, FAULT_ON_TOKEN, NULL, "none");
}

static void finds_its_calls_by_seek_token(void **state)
{
    assert_true(add(*state, "{\"kind\":\"reset\",\"seekTokenContains\":\"bad\"}", NULL));
    for (int i = 0; i < 3; i++) {
        must_take(*state, FAULT_ON_GRAPHQL, "good", "none");
        must_take(*state, FAULT_ON_GRAPHQL, "a-bad-one", "reset");
        must_take(*state, FAULT_ON_GRAPHQL, NULL, "none");
    }
}

static void goes_on_without_a_count(void **state)
{
    assert_true(add(*state, "{\"kind\":\"reset\",\"count\":0}", NULL));
    for (int i = 0; i < 1000; i++)
        must_take(*state, FAULT_ON_GRAPHQL, "t", "reset");
    fault_script_clear(*state);
    must_take(*state, FAULT_ON_GRAPHQL, "t", "none");
}

static unsigned count_taken(struct fault_script *script, unsigned calls)
{
    unsigned taken = 0;
    struct fault fault;
    for (unsigned i = 0; i < calls; i++)
        taken += fault_script_take(script, FAULT_ON_GRAPHQL, "t", &fault);
    return taken;
}

static void strikes_with_its_probability(void **state)
{
    assert_true(add(*state, "{\"kind\":\"reset\",\"probability\":0.25}", NULL));
    assert_in_range(count_taken(*state, 10000), 2300, 2700);
    fault_script_clear(*state);
    assert_true(add(*state, "{\"kind\":\"reset\",\"probability\":0}", NULL));
    assert_int_equal(count_taken(*state, 1000), 0);
}

static void repeats_itself_from_its_seed(void **state)
{
    (void)state;
    struct fault fault;
    AUTO(fault_script) *one = fault_script_create(42, NULL);
    AUTO(fault_script) *two = fault_script_create(42, NULL);
    assert_true(add(one, "{\"kind\":\"reset\",\"probability\":0.5}", NULL));
    assert_true(add(two, "{\"kind\":\"reset\",\"probability\":0.5}", NULL));
    for (int i = 0; i < 200; i++)
        assert_int_equal(fault_script_take(one, FAULT_ON_GRAPHQL, "t", &fault),
                         fault_script_take(two, FAULT_ON_GRAPHQL, "t", &fault));
}

static void keeps_its_random_numbers_in_range(void **state)
{
    bool has_min = false, has_max = false;
    assert_int_equal(fault_script_random(*state, 0), 0);
    for (int i = 0; i < 1000; i++) {
        int64_t number = fault_script_random(*state, 3);
        assert_in_range(number, 0, 3);
        has_min |= number == 0;
        has_max |= number == 3;
    }
    assert_true(has_min && has_max);
}

static void adds_all_faults_or_none(void **state)
{
    struct error error;
    assert_false(add(*state, "[{\"kind\":\"reset\"},{\"kind\":\"nothing\"}]", &error));
    assert_string_equal(error.message, "fault 2: kind: there is no \"nothing\"");
    must_take(*state, FAULT_ON_GRAPHQL, "t", "none");
}

static void is_bounded(void **state)
{
    struct error error;
    for (int i = 0; i < FAULTS_MAX; i++)
        assert_true(add(*state, "{\"kind\":\"reset\"}", NULL));
    assert_false(add(*state, "{\"kind\":\"reset\"}", &error));
    assert_int_equal(error.kind, ERROR_FULL);
    assert_int_equal(count_taken(*state, FAULTS_MAX + 10), FAULTS_MAX);
}

static void shows_what_is_left(void **state)
{
    struct buffer text;
    buffer_init(&text, 65536);
    assert_true(fault_script_write(*state, &text, NULL));
    assert_string_equal(text.bytes, "{\"faults\":[]}");
    buffer_clear(&text);
    assert_true(add(*state, "[{\"kind\":\"reset\",\"count\":3},{\"kind\":\"empty\"}]", NULL));
    must_take(*state, FAULT_ON_GRAPHQL, "t", "reset");
    assert_true(fault_script_write(*state, &text, NULL));
    AUTO(json) *json = json_parse(text.bytes, text.length, NULL);
    const struct json_value *list = json_member(json_root(json), "faults");
    assert_int_equal(json_array_length(list), 2);
    int64_t used;
    assert_true(json_member_integer(json_array_item(list, 0), "used", &used));
    assert_int_equal(used, 1);
    buffer_fini(&text);
}

static void says_when_memory_is_out(void **state)
{
    (void)state;
    struct error error;
    failing_malloc_arm(0);
    assert_null(fault_script_create(0, &error));
    assert_true(failing_malloc_disarm());
    assert_int_equal(error.kind, ERROR_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT_WITH("plays faults in their order", plays_faults_in_their_order, begin, end),
        IT_WITH("keeps the two endpoints apart", keeps_the_two_endpoints_apart, begin, end),
        IT_WITH("finds its calls by seek-token", finds_its_calls_by_seek_token, begin, end),
        IT_WITH("goes on without a count", goes_on_without_a_count, begin, end),
        IT_WITH("strikes with its probability", strikes_with_its_probability, begin, end),
        IT("repeats itself from its seed", repeats_itself_from_its_seed),
        IT_WITH("keeps its random numbers in range", keeps_its_random_numbers_in_range, begin, end),
        IT_WITH("adds all faults or none", adds_all_faults_or_none, begin, end),
        IT_WITH("is bounded", is_bounded, begin, end),
        IT_WITH("shows what is left", shows_what_is_left, begin, end),
        IT("says when memory is out", says_when_memory_is_out),
    };
    return cmocka_run_group_tests_name("sandbox_fault_script", tests, NULL, NULL);
}

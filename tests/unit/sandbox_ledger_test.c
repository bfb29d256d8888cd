/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/sandbox/ledger_page.h"

#include "tests/support/failing_malloc.h"
#include "tests/support/specification.h"

static struct json_text text_of(const char *text)
{
    return (struct json_text){text, text == NULL ? 0 : strlen(text)};
}

static struct sandbox_call *make_call(const char *seek_token, const char *outcome,
                                      const char *request_id)
{
    struct call_facts facts = {
        .kind = CALL_GRAPHQL,
        .received_ms = 1577923200000,
        .monotonic_us = 42,
        .status = 200,
        .is_delivered = strcmp(outcome, "delivered") == 0,
    };
    facts.texts[CALL_SEEK_TOKEN] = text_of(seek_token);
    facts.texts[CALL_OUTCOME] = text_of(outcome);
    facts.texts[CALL_REQUEST_ID] = text_of(request_id);
    facts.texts[CALL_BODY] = text_of("{\"secret\":1}");
    return sandbox_call_create(&facts, NULL);
}

static void add(struct ledger *ledger, const char *seek_token, const char *outcome,
                const char *request_id)
{
    assert_true(ledger_add(ledger, make_call(seek_token, outcome, request_id), false));
}

static int begin(void **state)
{
    *state = ledger_create(1000, NULL);
    return *state == NULL;
}

static int end(void **state)
{
    ledger_destroy(*state);
    return 0;
}

static void must_show(const struct ledger *ledger, const struct page *page, const char *expected)
{
    struct buffer text;
    buffer_init(&text, PAGE_BYTES_MAX);
    assert_true(ledger_write_calls(ledger, page, &text, NULL));
    assert_string_equal(text.bytes, expected);
    buffer_fini(&text);
}

static void must_show_signals(const struct ledger *ledger, const struct page *page,
                              const char *expected)
{
    struct buffer text;
    buffer_init(&text, PAGE_BYTES_MAX);
    assert_true(ledger_write_signals(ledger, page, &text, NULL));
    assert_string_equal(text.bytes, expected);
    buffer_fini(&text);
}

static void must_count(const struct ledger *ledger, const char *expected)
{
    struct buffer text;
    buffer_init(&text, PAGE_BYTES_MAX);
    assert_true(ledger_write_counts(ledger, &text, NULL));
    assert_string_equal(text.bytes, expected);
    buffer_fini(&text);
}

static void shows_a_call_with_everything_known(void **state)
{
    struct ledger *ledger = *state;
    struct call_facts facts = {.kind = CALL_TOKEN,
                               .received_ms = 1577923200000,
                               .monotonic_us = 42,
                               .is_authorized = true,
                               .status = 200};
    facts.texts[CALL_OUTCOME] = text_of("granted");
    facts.texts[CALL_ACCESS_TOKEN] = text_of("0000-x");
    facts.texts[CALL_USER_AGENT] = text_of("a \"b\"");
    struct sandbox_call *call = sandbox_call_create(&facts, NULL);
    assert_true(ledger_add(ledger, call, false));
    must_show(ledger, &(struct page){.limit = 10},
              "{\"calls\":[{\"sequence\":1,\"receivedAt\":\"2020-01-02T00:00:00.000Z\","
              "\"monotonicUs\":42,\"kind\":\"token\",\"authorized\":true,\"status\":200,"
              "\"requestId\":null,\"userAgent\":\"a \\\"b\\\"\",\"acceptLanguage\":null,"
              "\"sessionId\":null,\"traceparent\":null,\"seekToken\":null,\"timestamp\":null,"
              "\"typeCode\":null,\"accessToken\":\"0000-x\",\"outcome\":\"granted\",\"fault\":null,"
              "\"remarks\":[]}],"
              "\"next\":1}");
}

/* The sequences and "next" of a page, as text. */
static const char *page_of(const struct ledger *ledger, uint64_t after, uint64_t limit)
{
    static char shown[256];
    struct buffer text;
    buffer_init(&text, PAGE_BYTES_MAX);
    struct page page = {.after = after, .limit = limit};
    assert_true(ledger_write_calls(ledger, &page, &text, NULL));
    AUTO(json) *json = json_parse(text.bytes, text.length, NULL);
    assert_non_null(json);
    const struct json_value *calls = json_member(json_root(json), "calls");
    size_t length = 0;
    int64_t number;
    for (size_t i = 0; i < json_array_length(calls); i++) {
        assert_true(json_member_integer(json_array_item(calls, i), "sequence", &number));
        length += (size_t)snprintf(shown + length, sizeof shown - length, "%" PRId64 " ", number);
    }
    assert_true(json_member_integer(json_root(json), "next", &number));
    (void)snprintf(shown + length, sizeof shown - length, "next %" PRId64, number);
    buffer_fini(&text);
    return shown;
}

static void shows_pages_without_gap_or_overlap(void **state)
{
    struct ledger *ledger = *state;
    assert_string_equal(page_of(ledger, 0, 2), "next 0");
    for (int i = 0; i < 5; i++)
        add(ledger, "t", "delivered", "r");
    assert_string_equal(page_of(ledger, 0, 2), "1 2 next 2");
    assert_string_equal(page_of(ledger, 2, 2), "3 4 next 4");
    assert_string_equal(page_of(ledger, 4, 2), "5 next 5");
    assert_string_equal(page_of(ledger, 5, 2), "next 5");
    assert_string_equal(page_of(ledger, 99, 2), "next 99");
    assert_string_equal(page_of(ledger, 0, 0), "next 0");
    ledger_clear(ledger);
    add(ledger, "t", "delivered", "r");
    assert_string_equal(page_of(ledger, 0, 2), "6 next 6");
    assert_string_equal(page_of(ledger, 5, 2), "6 next 6");
}

static void shows_bodies_only_when_asked(void **state)
{
    struct ledger *ledger = *state;
    struct buffer text;
    buffer_init(&text, PAGE_BYTES_MAX);
    add(ledger, "t", "delivered", "r");
    assert_true(ledger_write_calls(ledger, &(struct page){.limit = 1}, &text, NULL));
    assert_null(strstr(text.bytes, "body"));
    buffer_clear(&text);
    assert_true(
        ledger_write_calls(ledger, &(struct page){.limit = 1, .has_bodies = true}, &text, NULL));
    assert_non_null(strstr(text.bytes, "\"body\":\"{\\\"secret\\\":1}\""));
    buffer_fini(&text);
}

static void remarks_on_headers_that_seek_asks_for(void **state)
{
    struct ledger *ledger = *state;
    struct buffer text;
    buffer_init(&text, PAGE_BYTES_MAX);
    add(ledger, "t", "delivered", NULL);
    assert_true(ledger_write_calls(ledger, &(struct page){.limit = 1}, &text, NULL));
    assert_non_null(strstr(text.bytes, "\"remarks\":[\"X-Request-Id is missing\",\"User-Agent is "
                                       "missing\",\"Accept-Language is missing\"]"));
    buffer_fini(&text);
}

static void gathers_signals_by_seek_token(void **state)
{
    struct ledger *ledger = *state;
    add(ledger, "a", "delivered", "r1");
    add(ledger, "b", "delivered", "r2");
    add(ledger, "a", "UNAUTHENTICATED", "r3");
    add(ledger, "a", "delivered", NULL);
    must_show_signals(ledger, &(struct page){.limit = 10},
                      "{\"signals\":[{\"seekToken\":\"a\",\"count\":2,\"firstSequence\":1,"
                      "\"lastSequence\":4,\"timestamps\":[null,null],\"requestIds\":[\"r1\",null]},"
                      "{\"seekToken\":\"b\",\"count\":1,\"firstSequence\":2,\"lastSequence\":2,"
                      "\"timestamps\":[null],\"requestIds\":[\"r2\"]}],\"next\":2,\"total\":2}");
    must_show_signals(ledger, &(struct page){.after = 1, .limit = 1},
                      "{\"signals\":[{\"seekToken\":\"b\",\"count\":1,\"firstSequence\":2,"
                      "\"lastSequence\":2,\"timestamps\":[null],\"requestIds\":[\"r2\"]}],"
                      "\"next\":2,\"total\":2}");
    must_show_signals(ledger, &(struct page){.after = 2, .limit = 1},
                      "{\"signals\":[],\"next\":2,\"total\":2}");
}

static void finds_one_signal(void **state)
{
    struct ledger *ledger = *state;
    struct buffer text;
    buffer_init(&text, PAGE_BYTES_MAX);
    assert_true(ledger_write_signal(ledger, "a", &text, NULL));
    assert_string_equal(text.bytes, "{\"signals\":[],\"total\":0}");
    buffer_clear(&text);
    add(ledger, "a", "delivered", "r1");
    assert_true(ledger_write_signal(ledger, "a", &text, NULL));
    assert_non_null(strstr(text.bytes, "\"seekToken\":\"a\",\"count\":1"));
    assert_non_null(strstr(text.bytes, "\"total\":1"));
    buffer_fini(&text);
}

static void finds_every_seek_token_among_many(void **state)
{
    (void)state;
    enum { SIGNALS = 5000 };
    AUTO(ledger) *ledger = ledger_create(2 * SIGNALS, NULL);
    char name[32];
    for (int i = 0; i < 2 * SIGNALS; i++) {
        (void)snprintf(name, sizeof name, "token-%d", i % SIGNALS);
        add(ledger, name, "delivered", "r");
    }
    assert_int_equal(ledger->signals.count, SIGNALS);
    for (int i = 0; i < SIGNALS; i++) {
        (void)snprintf(name, sizeof name, "token-%d", i);
        const struct taken_signal *signal = signal_index_find(&ledger->signals, name);
        assert_non_null(signal);
        assert_int_equal(signal->count, 2);
        assert_int_equal(signal->first->sequence, i + 1);
        assert_int_equal(signal->last->sequence, SIGNALS + i + 1);
    }
    assert_null(signal_index_find(&ledger->signals, "token-5000"));
}

static void counts_by_outcome(void **state)
{
    struct ledger *ledger = *state;
    add(ledger, "a", "delivered", "r");
    add(ledger, "a", "delivered", "r");
    add(ledger, "b", "reset", "r");
    assert_true(ledger_add(ledger, make_call("c", "delivered", "r"), true));
    must_count(ledger,
               "{\"graphql\":{\"total\":4,\"outcomes\":{\"delivered\":3,\"reset\":1}},"
               "\"token\":{\"total\":0,\"outcomes\":{}},\"signals\":{\"taken\":3,\"distinct\":2,"
               "\"duplicates\":1,\"expired\":1},\"ledger\":{\"calls\":4,\"max\":1000,"
               "\"full\":false}}");
    ledger_clear(ledger);
    must_count(ledger, "{\"graphql\":{\"total\":0,\"outcomes\":{}},\"token\":{\"total\":0,"
                       "\"outcomes\":{}},\"signals\":{\"taken\":0,\"distinct\":0,\"duplicates\":0,"
                       "\"expired\":0},\"ledger\":{\"calls\":0,\"max\":1000,\"full\":false}}");
}

static void sums_up_outcomes_beyond_its_table(void **state)
{
    struct ledger *ledger = *state;
    char name[32];
    for (int i = 0; i < TALLIES_MAX + 5; i++) {
        (void)snprintf(name, sizeof name, "CODE_%d", i);
        add(ledger, "t", name, "r");
    }
    const struct tally *last = &ledger->tallies[CALL_GRAPHQL][TALLIES_MAX - 1];
    assert_string_equal(last->outcome, "other");
    assert_int_equal(last->count, 6);
}

static void goes_on_counting_when_full(void **state)
{
    (void)state;
    AUTO(ledger) *ledger = ledger_create(2, NULL);
    add(ledger, "a", "delivered", "r");
    add(ledger, "b", "delivered", "r");
    assert_false(ledger->is_full);
    assert_false(ledger_add(ledger, make_call("c", "delivered", "r"), false));
    assert_true(ledger->is_full);
    assert_int_equal(ledger->count, 2);
    assert_int_equal(ledger->delivered, 3);
    assert_int_equal(ledger->signals.count, 2);
    ledger_clear(ledger);
    add(ledger, "d", "delivered", "r");
    assert_false(ledger->is_full);
}

static void is_full_when_memory_is_out(void **state)
{
    (void)state;
    bool has_failed = true;
    for (unsigned n = 0; has_failed; n++) {
        AUTO(ledger) *ledger = ledger_create(10, NULL);
        struct sandbox_call *call = make_call("a", "delivered", "r");
        failing_malloc_arm(n);
        bool is_kept = ledger_add(ledger, call, false);
        has_failed = failing_malloc_disarm();
        assert_int_equal(is_kept, !has_failed);
        assert_int_equal(ledger->is_full, has_failed);
        assert_int_equal(ledger->count, is_kept ? 1 : 0);
        assert_int_equal(ledger->delivered, 1);
        /* What it holds is a beginning without gaps, so it does not start again. */
        assert_int_equal(ledger_add(ledger, make_call("b", "delivered", "r"), false), is_kept);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT_WITH("shows a call with everything known", shows_a_call_with_everything_known, begin,
                end),
        IT_WITH("shows pages without gap or overlap", shows_pages_without_gap_or_overlap, begin,
                end),
        IT_WITH("shows bodies only when asked", shows_bodies_only_when_asked, begin, end),
        IT_WITH("remarks on headers that SEEK asks for", remarks_on_headers_that_seek_asks_for,
                begin, end),
        IT_WITH("gathers signals by seek-token", gathers_signals_by_seek_token, begin, end),
        IT_WITH("finds one signal", finds_one_signal, begin, end),
        IT("finds every seek-token among many", finds_every_seek_token_among_many),
        IT_WITH("counts by outcome", counts_by_outcome, begin, end),
        IT_WITH("sums up outcomes beyond its table", sums_up_outcomes_beyond_its_table, begin, end),
        IT("goes on counting when full", goes_on_counting_when_full),
        IT("is full when memory is out", is_full_when_memory_is_out),
    };
    return cmocka_run_group_tests_name("sandbox_ledger", tests, NULL, NULL);
}

/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/json.h"

#include "service/inbound/tail_ring.h"

#include "tests/support/specification.h"

static struct tail_ring *ring;
static struct tail_page page;

static int start(void **state)
{
    (void)state;
    log_configure(LOG_ERROR, LOG_FORMAT_JSON); /* nothing is written, all is seen */
    ring = calloc(1, sizeof *ring);
    assert_non_null(ring);
    tail_ring_init(ring);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    tail_page_fini(&page);
    tail_ring_fini(ring);
    free(ring);
    return 0;
}

static struct tail_place begin(int64_t now_ms)
{
    tail_ring_read(ring, NULL, now_ms, &page);
    assert_int_equal(page.count, 0);
    return page.next;
}

static void must_read(struct tail_place place, int64_t now_ms, size_t count, int64_t missed)
{
    tail_page_fini(&page);
    tail_ring_read(ring, &place, now_ms, &page);
    assert_int_equal(page.count, count);
    assert_int_equal(page.missed, missed);
}

#define NOW (INT64_MAX / 2) /* ahead of the clock, so that somebody listens */

static void keeps_what_is_logged_of_signals(void **state)
{
    (void)state;
    log_info("signal_delivered", "before anybody listens");
    struct tail_place place = begin(NOW);
    log_info("signal_dead", "it \"died\"", LOG_TEXT("application", "A-1"),
             LOG_TEXT("class", "refused"), LOG_INT("attempt", 3));
    log_info("upstream_request", "with a seek-token, perhaps");
    log_debug("signal_delivered", "below what is kept");
    must_read(place, NOW, 1, 0);
    assert_string_equal(page.entries[0]->application, "A-1");
    assert_string_equal(page.entries[0]->class, "refused");
    AUTO(json) *json = json_parse(page.entries[0]->json, page.entries[0]->length, NULL);
    assert_non_null(json);
    int64_t attempt = 0;
    assert_true(json_member_integer(json_root(json), "attempt", &attempt));
    assert_int_equal(attempt, 3);
    must_read(page.next, NOW, 0, 0);
}

static void leaves_out_a_field_that_does_not_fit(void **state)
{
    (void)state;
    static char detail[2 * TAIL_ENTRY_BYTES_MAX];
    memset(detail, 'x', sizeof detail - 1);
    struct tail_place place = begin(NOW);
    log_info("signal_dead", "it died", LOG_TEXT("detail", detail), LOG_TEXT("code", "FORBIDDEN"));
    must_read(place, NOW, 1, 0);
    AUTO(json) *json = json_parse(page.entries[0]->json, page.entries[0]->length, NULL);
    assert_non_null(json);
    assert_true(json_has_member(json_root(json), "code"));
    assert_false(json_has_member(json_root(json), "detail"));
}

static void counts_what_it_has_no_place_for(void **state)
{
    (void)state;
    struct tail_place place = begin(NOW);
    for (int i = 0; i < TAIL_ENTRIES_MAX + 10; i++)
        log_info("signal_delivered", "done", LOG_INT("number", i));
    must_read(place, NOW, TAIL_READ_MAX, 10);
    must_read(page.next, NOW, TAIL_READ_MAX, 0);
}

static void begins_anew_where_nobody_has_listened(void **state)
{
    (void)state;
    struct tail_place place = begin(1000);
    must_read(place, 1000 + TAIL_LISTENED_MS - 1, 0, 0);
    must_read(place, 1000 + 3 * TAIL_LISTENED_MS, 0, -1);
    place.epoch++;
    must_read(place, NOW, 0, -1);
}

/* Below the least level a line is made up for the ring alone. */
static void costs_nothing_once_nobody_listens(void **state)
{
    (void)state;
    (void)begin(clock_monotonic_ms() - TAIL_LISTENED_MS);
    assert_true(log_is_enabled(LOG_INFO));
    log_info("upstream_request", "of whatever kind");
    assert_false(log_is_enabled(LOG_INFO));
    struct tail_place place = begin(NOW);
    log_info("signal_delivered", "done");
    must_read(place, NOW, 1, 0);
    log_info("signal_delivered", "done");
    must_read(page.next, NOW, 1, 0);
}

enum { THREADS = 4, LINES = 2000 };

static void *log_many(void *unused)
{
    for (int i = 0; i < LINES; i++)
        log_info("signal_delivered", "done", LOG_TEXT("application", "A-1"));
    return unused;
}

static void is_read_while_it_is_written(void **state)
{
    (void)state;
    struct tail_place place = begin(NOW);
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, log_many, NULL), 0);
    int64_t seen = 0;
    while (seen < (int64_t)THREADS * LINES) {
        tail_page_fini(&page);
        tail_ring_read(ring, &place, NOW, &page);
        for (size_t i = 0; i < page.count; i++)
            assert_string_equal(page.entries[i]->application, "A-1");
        seen += (int64_t)page.count + page.missed;
        place = page.next;
    }
    assert_int_equal(seen, THREADS * LINES);
    for (size_t i = 0; i < THREADS; i++)
        (void)pthread_join(threads[i], NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT_WITH("keeps what is logged of signals, and nothing else, while somebody listens",
                keeps_what_is_logged_of_signals, start, stop),
        IT_WITH("leaves out a field that does not fit", leaves_out_a_field_that_does_not_fit, start,
                stop),
        IT_WITH("counts what it has no place for", counts_what_it_has_no_place_for, start, stop),
        IT_WITH("begins anew where nobody has listened", begins_anew_where_nobody_has_listened,
                start, stop),
        IT_WITH("costs nothing once nobody listens", costs_nothing_once_nobody_listens, start,
                stop),
        IT_WITH("is read while it is written", is_read_while_it_is_written, start, stop),
    };
    return cmocka_run_group_tests_name("tail_ring", tests, NULL, NULL);
}

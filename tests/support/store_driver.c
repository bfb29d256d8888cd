/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "tests/support/store_driver.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/net/event_loop.h"

#include "service/store/store_internal.h"

#include "tests/support/specification.h"

enum { WITHIN_MS = 30000, REST_MS = 100 };

/* --- life --- */

static bool locate(void *context, struct redis_url *out, struct error *error)
{
    const struct driver *driver = context;
    (void)error;
    *out = driver->url;
    return true;
}

void driver_start(struct driver *driver, const struct redis_server *server)
{
    const struct store_options options = {
        .ttl_ms = DRIVER_TTL_MS, .lease_ms = DRIVER_LEASE_MS, .age_max_ms = DRIVER_AGE_MAX_MS};
    struct redis_url url;
    redis_server_url(server, &url);
    driver_start_with(driver, &url, &options);
}

void driver_start_with(struct driver *driver, const struct redis_url *url,
                       const struct store_options *options)
{
    static const double bounds[] = {10};
    static const struct metric_row histogram =
        METRIC_ROW(HISTOGRAM, "round_trip_seconds", "Round trips.", METRIC_BOUNDS(bounds));
    *driver = (struct driver){.round_trip = {.row = &histogram}};
    driver->url = *url;
    struct store_options full = *options;
    full.metrics = (struct store_metrics){&driver->connects, &driver->losses,
                                          &driver->leases_expired, &driver->round_trip};
    full.locate = locate;
    full.context = driver;
    full.role = "test";
    struct error error;
    driver->loop = event_loop_create(&error);
    assert_non_null(driver->loop);
    driver->store = store_create(&full, driver->loop, &error);
    assert_non_null(driver->store);
}

void driver_stop(struct driver *driver)
{
    store_destroy(driver->store);
    event_loop_destroy(driver->loop);
    driver->store = NULL;
    driver->loop = NULL;
}

/* --- the loop --- */

void driver_turn(struct driver *driver)
{
    int64_t wait_ms = store_timeout_ms(driver->store, clock_monotonic_ms());
    event_loop_poll(driver->loop, clock_sooner_ms(wait_ms, REST_MS));
    store_turn(driver->store, clock_monotonic_ms());
}

void driver_must_become(struct driver *driver, bool is_ready)
{
    struct store_health health;
    int64_t deadline_ms = clock_monotonic_ms() + WITHIN_MS;
    while (store_health(driver->store, &health), health.is_ready != is_ready) {
        if (clock_monotonic_ms() > deadline_ms)
            fail_msg("ready is still %d: %s", health.is_ready, health.reason);
        driver_turn(driver);
    }
}

void driver_settle_down(struct driver *driver)
{
    int64_t deadline_ms = clock_monotonic_ms() + WITHIN_MS;
    while (store_calls_open(driver->store) > 0) {
        if (clock_monotonic_ms() > deadline_ms)
            fail_msg("%zu calls are not answered", store_calls_open(driver->store));
        driver_turn(driver);
    }
}

/* --- answers --- */

static void take_failure(struct driver *driver, const struct store_failure *failure)
{
    driver->answers++;
    driver->failure = *failure;
    driver->texts_length = 0;
}

static const char *keep(struct driver *driver, const char *text)
{
    if (text == NULL)
        return NULL;
    size_t bytes = strlen(text) + 1;
    assert_true(driver->texts_length + bytes <= sizeof driver->texts);
    char *copy = driver->texts + driver->texts_length;
    memcpy(copy, text, bytes);
    driver->texts_length += bytes;
    return copy;
}

void driver_done(void *context, const struct store_failure *failure)
{
    take_failure(context, failure);
}

void driver_accept_done(void *context, const struct store_failure *failure,
                        const struct accept_result *results, size_t count)
{
    struct driver *driver = context;
    take_failure(driver, failure);
    driver->count = count;
    for (size_t i = 0; i < count && i < DRIVER_ITEMS_MAX; i++) {
        driver->accepted[i] = results[i];
        driver->accepted[i].event_id = keep(driver, results[i].event_id);
        driver->accepted[i].seek_token = keep(driver, results[i].seek_token);
    }
}

void driver_claim_done(void *context, const struct store_failure *failure,
                       const struct claim_result *result)
{
    struct driver *driver = context;
    take_failure(driver, failure);
    driver->claimed = *result;
    for (size_t i = 0; i < result->damaged_count && i < DRIVER_ITEMS_MAX; i++) {
        driver->damaged[i].application_id = keep(driver, result->damaged[i].application_id);
        driver->damaged[i].field = keep(driver, result->damaged[i].field);
    }
    for (size_t i = 0; i < result->count && i < DRIVER_ITEMS_MAX; i++) {
        struct claim *claim = &driver->claims[i];
        *claim = result->claims[i];
        claim->application_id = keep(driver, claim->application_id);
        claim->seek_token = keep(driver, claim->seek_token);
        claim->event_id = keep(driver, claim->event_id);
        claim->traceparent = keep(driver, claim->traceparent);
    }
}

void driver_settle_done(void *context, const struct store_failure *failure,
                        const enum settle_outcome *outcomes, size_t count)
{
    struct driver *driver = context;
    take_failure(driver, failure);
    driver->count = count;
    for (size_t i = 0; i < count && i < DRIVER_ITEMS_MAX; i++)
        driver->settled[i] = outcomes[i];
}

static void replay_done(void *context, const struct store_failure *failure,
                        enum replay_outcome outcome, const char *damage)
{
    struct driver *driver = context;
    take_failure(driver, failure);
    driver->replayed = outcome;
    (void)snprintf(driver->replay_damage, sizeof driver->replay_damage, "%s", damage);
}

static void get_done(void *context, const struct store_failure *failure,
                     const struct application *application)
{
    struct driver *driver = context;
    take_failure(driver, failure);
    driver->is_found = application != NULL;
    if (application == NULL)
        return;
    struct application *copy = &driver->application;
    *copy = *application;
    copy->id = keep(driver, copy->id);
    copy->event_id = keep(driver, copy->event_id);
    copy->token_fingerprint = keep(driver, copy->token_fingerprint);
    copy->last_class = keep(driver, copy->last_class);
    copy->last_code = keep(driver, copy->last_code);
    copy->last_message = keep(driver, copy->last_message);
    copy->history = keep(driver, copy->history);
    copy->traceparent = keep(driver, copy->traceparent);
}

static void census_done(void *context, const struct store_failure *failure,
                        const struct store_census *census)
{
    struct driver *driver = context;
    take_failure(driver, failure);
    driver->census = *census;
}

/* --- calls --- */

static void must_be_answered(struct driver *driver, bool is_sent, const struct error *error)
{
    if (!is_sent)
        fail_msg("not sent: %s", error->message);
    unsigned before = driver->answers;
    driver_settle_down(driver);
    assert_int_equal(driver->answers, before + 1);
    if (driver->failure.status != STORE_OK)
        fail_msg("failed: %s", driver->failure.detail);
}

void must_accept(struct driver *driver, const struct accept_item *items, size_t count)
{
    struct error error;
    bool is_sent = store_accept(driver->store, items, count, 0, driver_accept_done, driver, &error);
    must_be_answered(driver, is_sent, &error);
    assert_int_equal(driver->count, count);
}

enum accept_outcome must_accept_one(struct driver *driver, const char *id, const char *token,
                                    const char *event_id)
{
    const struct accept_item item = {
        .application_id = id, .seek_token = token, .event_id = event_id, .completed_at_ms = -1};
    must_accept(driver, &item, 1);
    return driver->accepted[0].outcome;
}

void must_put_token(struct driver *driver, const char *id, const char *token, const char *event_id)
{
    struct error error;
    const struct accept_item item = {
        .application_id = id, .seek_token = token, .event_id = event_id};
    bool is_sent = store_put_token(driver->store, &item, driver_done, driver, &error);
    must_be_answered(driver, is_sent, &error);
}

void must_forget(struct driver *driver, const char *id)
{
    struct error error;
    bool is_sent = store_forget(driver->store, id, driver_done, driver, &error);
    must_be_answered(driver, is_sent, &error);
}

enum replay_outcome must_replay(struct driver *driver, const char *id)
{
    struct error error;
    bool is_sent = store_replay(driver->store, id, replay_done, driver, &error);
    must_be_answered(driver, is_sent, &error);
    return driver->replayed;
}

const struct application *must_get(struct driver *driver, const char *id)
{
    struct error error;
    bool is_sent = store_get(driver->store, id, get_done, driver, &error);
    must_be_answered(driver, is_sent, &error);
    return driver->is_found ? &driver->application : NULL;
}

size_t must_claim(struct driver *driver, size_t limit)
{
    struct error error;
    bool is_sent = store_claim(driver->store, limit, driver_claim_done, driver, &error);
    must_be_answered(driver, is_sent, &error);
    return driver->claimed.count;
}

struct claim must_claim_one(struct driver *driver)
{
    assert_int_equal(must_claim(driver, DRIVER_ITEMS_MAX), 1);
    return driver->claims[0];
}

/* NOLINTNEXTLINE(readability-function-size): a settlement, spelled out */
enum settle_outcome must_settle(struct driver *driver, const char *id, uint64_t generation,
                                enum settle_action action, int64_t delay_ms,
                                const struct verdict *verdict)
{
    const struct settlement settlement = {.application_id = id,
                                          .generation = generation,
                                          .action = action,
                                          .delay_ms = delay_ms,
                                          .verdict = verdict};
    struct error error;
    bool is_sent = store_settle(driver->store, &settlement, 1, driver_settle_done, driver, &error);
    must_be_answered(driver, is_sent, &error);
    assert_int_equal(driver->count, 1);
    return driver->settled[0];
}

void must_count(struct driver *driver, int64_t due, int64_t dead)
{
    struct error error;
    bool is_sent = store_census(driver->store, CENSUS_LOOK_MAX, census_done, driver, &error);
    must_be_answered(driver, is_sent, &error);
    assert_int_equal(driver->census.due, due);
    assert_int_equal(driver->census.dead, dead);
}

void driver_send(struct driver *driver, unsigned kind)
{
    static const struct accept_item item = {"A", "token", "event", -1, NULL, 0, 0};
    static const struct settlement settlement = {.application_id = "A", .action = SETTLE_RELEASE};
    struct store *store = driver->store;
    struct error error;
    bool is_sent = false;
    if (kind == 0)
        is_sent = store_accept(store, &item, 1, 0, driver_accept_done, driver, &error);
    else if (kind == 1)
        is_sent = store_claim(store, 1, driver_claim_done, driver, &error);
    else if (kind == 2)
        is_sent = store_settle(store, &settlement, 1, driver_settle_done, driver, &error);
    else if (kind == 3)
        is_sent = store_replay(store, "A", replay_done, driver, &error);
    else if (kind == 4)
        is_sent = store_get(store, "A", get_done, driver, &error);
    else
        is_sent = store_census(store, CENSUS_LOOK_MAX, census_done, driver, &error);
    assert_true(is_sent);
}

/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "tests/support/move_driver.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/specification.h"

struct redis_server *move_from_server, *move_to_server;
struct driver move_from, move_to;

const char *const move_from_id = "9d1b1a52-0000-4000-8000-00000000000f";
const char *const move_to_id = "9d1b1a52-0000-4000-8000-00000000000a";

int move_begin(void **state)
{
    (void)state;
    move_from_server = redis_server_start(REDIS_SERVER_UNIX, NULL);
    move_to_server = redis_server_start(REDIS_SERVER_UNIX, NULL);
    return 0;
}

int move_finish(void **state)
{
    (void)state;
    redis_server_stop(move_from_server);
    redis_server_stop(move_to_server);
    return 0;
}

int move_start(void **state)
{
    (void)state;
    (void)redis_server_cli(move_from_server, "FLUSHALL");
    (void)redis_server_cli(move_to_server, "FLUSHALL");
    driver_start(&move_from, move_from_server);
    driver_start(&move_to, move_to_server);
    driver_must_become(&move_from, true);
    driver_must_become(&move_to, true);
    return 0;
}

int move_stop(void **state)
{
    (void)state;
    driver_stop(&move_from);
    driver_stop(&move_to);
    return 0;
}
/* --- the mover's calls --- */

struct move_shown move_shown;

static const char *keep(const char *bytes, size_t length)
{
    char *kept = move_shown.texts + move_shown.length;
    assert_true(move_shown.length + length + 1 <= sizeof move_shown.texts);
    memcpy(kept, bytes, length);
    kept[length] = '\0';
    move_shown.length += length + 1;
    return kept;
}

static void on_shown(void *context, const struct store_failure *failure,
                     const struct move_out_result *result)
{
    (void)context;
    assert_int_equal(failure->status, STORE_OK);
    move_shown.result = *result;
    move_shown.length = 0;
    if (result->outcome != MOVE_FINE)
        return;
    assert_true(result->count <= MOVE_ITEMS_MAX);
    (void)snprintf(move_shown.since, sizeof move_shown.since, "%s", result->since);
    move_shown.result.name = keep(result->name, strlen(result->name));
    move_shown.result.batch = keep(result->batch, strlen(result->batch));
    move_shown.result.place = keep(result->place, strlen(result->place));
    for (size_t i = 0; i < result->count; i++) {
        move_shown.items[i] = result->items[i];
        move_shown.items[i].id = keep(result->items[i].id, strlen(result->items[i].id));
        move_shown.items[i].at = keep(result->items[i].at, strlen(result->items[i].at));
        move_shown.items[i].bytes = keep(result->items[i].bytes, result->items[i].length);
    }
}

size_t move_ask_so(const struct move_out_query *query)
{
    struct error error;
    assert_true(store_move_out(move_from.store, query, on_shown, NULL, &error));
    driver_settle_down(&move_from);
    assert_int_equal(move_shown.result.outcome, MOVE_FINE);
    return move_shown.result.count;
}

size_t move_ask(const char *done, const char *place)
{
    char done_copy[64], place_copy[40]; /* they may be what was shown last */
    (void)snprintf(done_copy, sizeof done_copy, "%s", done);
    (void)snprintf(place_copy, sizeof place_copy, "%s", place);
    return move_ask_so(&(struct move_out_query){.proposal = move_from_id,
                                                .target = move_to_id,
                                                .done = done_copy,
                                                .floor = "",
                                                .blocked = "",
                                                .where = "",
                                                .limit = MOVE_BATCH_MAX,
                                                .place = place_copy});
}

void move_give_up(void)
{
    (void)move_ask_so(&(struct move_out_query){.proposal = "",
                                               .target = "",
                                               .done = "",
                                               .floor = "",
                                               .blocked = "",
                                               .where = "",
                                               .limit = MOVE_GIVE_UP,
                                               .place = ""});
}

struct move_in_result move_taken;

static void on_taken(void *context, const struct store_failure *failure,
                     const struct move_in_result *result)
{
    (void)context;
    assert_int_equal(failure->status, STORE_OK);
    static char what[64];
    move_taken = *result;
    (void)snprintf(what, sizeof what, "%s", result->what);
    move_taken.what = what;
}

void move_give_and_see(void)
{
    struct error error;
    const struct move_in_batch batch = {.proposal = move_to_id,
                                        .source = move_shown.result.name,
                                        .batch = move_shown.result.batch,
                                        .since = move_shown.since,
                                        .count = move_shown.result.count,
                                        .items = move_shown.items};
    assert_true(store_move_in(move_to.store, &batch, on_taken, NULL, &error));
    driver_settle_down(&move_to);
}

void move_give_and_get(enum move_outcome outcome)
{
    move_give_and_see();
    assert_int_equal(move_taken.outcome, outcome);
}

void move_give(void)
{
    move_give_and_get(MOVE_FINE);
}

void move_all(void)
{
    size_t met = 0;
    (void)move_ask("", "");
    while (move_shown.result.count > 0 || move_shown.result.place[0] != '\0' || met > 0) {
        met += move_shown.result.count;
        bool has_batch = move_shown.result.count > 0;
        if (move_shown.result.place[0] == '\0')
            met = has_batch; /* the next walk */
        if (has_batch)
            move_give();
        (void)move_ask(has_batch ? move_shown.result.batch : "", move_shown.result.place);
    }
}

const char *move_token_at_target(void)
{
    return redis_server_cli(move_to_server, "HGET 'seek-signal:{0}:app:A-1' token");
}

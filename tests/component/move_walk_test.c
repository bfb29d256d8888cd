/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* Random walks of a mover between two Redis. Clients post to both, answers are lost, the mover is
 * killed, and the source loses what it was not waited for. Of each application the newest
 * seek-token is sent last, and none is sent twice. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"

#include "tests/support/move_driver.h"
#include "tests/support/specification.h"

enum { WALKS = 6, STEPS = 300, APPLICATIONS = 40, FIRST_POSTS = 12, OUT_MAX = 4, NAME_BYTES = 64 };

static const char event[] = "0b9cf2d3-9e0b-4e4f-8a00-000000000000";
static const struct verdict delivered = {.class = VERDICT_DELIVERED, .http_status = 200};

static struct move_walk {
    unsigned seed, number;
    unsigned posted[APPLICATIONS], sent[APPLICATIONS]; /* number of the seek-token; 0: none */
    struct attempt_out {                               /* at the source, from before the move */
        unsigned application, number;
        uint64_t generation;
    } out[OUT_MAX];
    size_t out_count;
    /* The mover's. */
    char done[NAME_BYTES], floor[NAME_BYTES], place[NAME_BYTES];
    bool is_shown;
    size_t met; /* since the walk over the source's entries began */
    bool is_empty;
} walk;

static unsigned chance(unsigned count)
{
    return (unsigned)rand_r(&walk.seed) % count;
}

static const char *name_of(unsigned application)
{
    static char name[16];
    (void)snprintf(name, sizeof name, "A-%u", application);
    return name;
}

static void post(struct driver *driver)
{
    char token[16];
    unsigned application = chance(APPLICATIONS);
    int64_t now_ms = clock_wall_ms();
    while (clock_wall_ms() <= now_ms) /* the two Redis have one clock, of milliseconds */
        ;
    (void)snprintf(token, sizeof token, "%u", ++walk.number);
    (void)must_accept_one(driver, name_of(application), token, event);
    walk.posted[application] = walk.number;
}

static void note_sent(unsigned application, unsigned number)
{
    if (number <= walk.sent[application])
        fail_msg("%s: %u is sent after %u", name_of(application), number, walk.sent[application]);
    walk.sent[application] = number;
}

static struct attempt_out claimed(const struct claim *claim)
{
    return (struct attempt_out){.application =
                                    (unsigned)strtoul(claim->application_id + 2, NULL, 10),
                                .number = (unsigned)strtoul(claim->seek_token, NULL, 10),
                                .generation = claim->generation};
}

static void settle(struct driver *driver, const struct attempt_out *out)
{
    note_sent(out->application, out->number);
    (void)must_settle(driver, name_of(out->application), out->generation, SETTLE_DELIVERED, 0,
                      &delivered);
}

static bool send_one(void)
{
    if (must_claim(&move_to, 1) == 0)
        return false;
    struct attempt_out out = claimed(&move_to.claims[0]);
    settle(&move_to, &out);
    return true;
}

/* --- the mover --- */

static void kill_mover(void)
{
    walk.done[0] = walk.floor[0] = walk.place[0] = '\0';
    walk.is_shown = false;
    walk.met = 1; /* it begins anew */
}

static void keep(char kept[NAME_BYTES], const char *text)
{
    assert_true(strlen(text) < NAME_BYTES);
    (void)snprintf(kept, NAME_BYTES, "%s", text);
}

static void ask(bool is_lost)
{
    const struct move_out_query query = {.proposal = move_from_id,
                                         .target = move_to_id,
                                         .done = walk.done,
                                         .floor = walk.floor,
                                         .limit = MOVE_BATCH_MAX,
                                         .place = walk.place};
    walk.met += move_ask_so(&query);
    if (is_lost)
        return;
    walk.done[0] = walk.floor[0] = '\0';
    keep(walk.place, move_shown.result.place);
    walk.is_shown = move_shown.result.count > 0;
    if (walk.place[0] != '\0')
        return;
    walk.is_empty = walk.met == 0 && move_shown.result.out == 0 && move_shown.result.later == 0;
    walk.met = 0;
}

static void give(bool is_lost)
{
    move_give_and_see();
    if (is_lost)
        return;
    assert_true(move_taken.outcome == MOVE_FINE || move_taken.outcome == MOVE_OVERTAKEN);
    keep(move_taken.outcome == MOVE_FINE ? walk.done : walk.floor,
         move_taken.outcome == MOVE_FINE ? move_shown.result.batch : move_taken.what);
    walk.is_shown = false;
}

static void move_on(bool may_fail)
{
    bool is_lost = may_fail && chance(6) == 0;
    if (walk.is_shown)
        give(is_lost);
    else
        ask(is_lost);
    if (may_fail && chance(12) == 0)
        kill_mover();
}

/* Its master dies, and the replica does not have what the mover has done last. */
static void fail_over(void)
{
    static const char copy[] =
        "EVAL \"redis.call('SELECT', ARGV[2]) redis.call('FLUSHDB') redis.call('SELECT', ARGV[1]) "
        "for _, key in ipairs(redis.call('KEYS', '*')) do "
        "redis.call('COPY', key, key, 'DB', ARGV[2]) end\" 0 %s";
    (void)redis_server_cli(move_from_server, copy, "0 1");
    for (unsigned steps = 1 + chance(4); steps > 0; steps--) {
        move_on(true);
        if (chance(2) == 0)
            (void)send_one();
    }
    (void)redis_server_cli(move_from_server, copy, "1 0");
    for (unsigned posts = chance(4); posts > 0; posts--)
        post(&move_from);
}

static void step(void)
{
    unsigned what = chance(20);
    if (what < 3)
        post(&move_from);
    else if (what < 5 && walk.out_count == 0)
        post(&move_to); /* nothing older can leave at the source any more */
    else if (what < 7)
        (void)send_one();
    else if (what == 7 && walk.out_count > 0)
        settle(&move_from, &walk.out[--walk.out_count]);
    else if (what == 8)
        fail_over();
    else
        move_on(true);
}

static void begin_walk(unsigned seed)
{
    (void)redis_server_cli(move_from_server, "FLUSHALL");
    (void)redis_server_cli(move_to_server, "FLUSHALL");
    (void)redis_server_cli(move_from_server,
                           "MSET 'seek-signal:{0}:layout' 2 'seek-signal:{0}:shards' 1");
    walk = (struct move_walk){.seed = seed};
    if (seed % 2 == 0) /* its clock is behind: numbers follow each other */
        (void)redis_server_cli(move_from_server,
                               "HSET 'seek-signal:{0}:move' last 8000000000000000");
    for (unsigned i = 0; i < FIRST_POSTS; i++)
        post(&move_from);
    walk.out_count = must_claim(&move_from, OUT_MAX);
    for (size_t i = 0; i < walk.out_count; i++)
        walk.out[i] = claimed(&move_from.claims[i]);
}

static void end_walk(void)
{
    while (walk.out_count > 0)
        settle(&move_from, &walk.out[--walk.out_count]);
    kill_mover();
    walk.is_empty = false;
    for (unsigned steps = 0; !walk.is_empty; steps++) {
        assert_true(steps < STEPS);
        move_on(false);
    }
    while (send_one())
        ;
    must_count(&move_from, 0, 0);
    must_count(&move_to, 0, 0);
    for (unsigned i = 0; i < APPLICATIONS; i++) {
        assert_null(must_get(&move_from, name_of(i)));
        if (walk.sent[i] != walk.posted[i])
            fail_msg("%s: %u is sent last, %u was posted last", name_of(i), walk.sent[i],
                     walk.posted[i]);
    }
}

static void sends_the_newest_last_and_once(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= WALKS; seed++) {
        begin_walk(seed);
        for (unsigned i = 0; i < STEPS; i++)
            step();
        end_walk();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT_WITH("sends the newest last, and once", sends_the_newest_last_and_once, move_start,
                move_stop),
    };
    return cmocka_run_group_tests_name("move_walk", tests, move_begin, move_finish);
}

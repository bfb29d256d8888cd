/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "lib/net/event_loop.h"
#include "lib/net/redis_reader.h"

#include "service/store/shard_map.h"
#include "service/store/slot.h"

#include "tests/support/captured_log.h"
#include "tests/support/specification.h"

/* --- slots ------------------------------------------------------------------------------ */

/* As CLUSTER KEYSLOT answers. */
static void finds_the_slot_of_a_key(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        unsigned slot;
    } cases[] = {{"seek-signal:{0}:due", 13907}, {"seek-signal:{0}:app:A-1", 13907},
                 {"seek-signal:shards", 8000},   {"seek-signal:mark", 9757},
                 {"123456789", 0x31c3},          {"{}x", 10595},
                 {"foo{{bar}}", 4015},           {"", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(slot_of(cases[i].key), cases[i].slot);
}

/* --- where a slot has gone -------------------------------------------------------------- */

static void reads_where_a_slot_has_moved(void **state)
{
    (void)state;
    static const struct {
        const char *answer, *host;
        uint16_t port;
    } good[] = {{"MOVED 866 10.0.0.1:6379", "10.0.0.1", 6379},
                {"MOVED 866 ::1:7000", "::1", 7000},
                {"MOVED 866 node-1.example:65535", "node-1.example", 65535},
                {"MOVED 866 :7001", "asked", 7001}};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct redis_address address;
        assert_true(shard_map_read_moved(good[i].answer, "asked", &address));
        assert_string_equal(address.host, good[i].host);
        assert_int_equal(address.port, good[i].port);
    }
    static const char *const bad[] = {"ASK 866 10.0.0.1:6379",
                                      "MOVED",
                                      "MOVED 866",
                                      "MOVED 866 10.0.0.1",
                                      "MOVED 866 10.0.0.1:0",
                                      "MOVED 866 10.0.0.1:65536",
                                      "MOVED 866 10.0.0.1:12x",
                                      "MOVED 866 ?:7001",
                                      "ERR MOVED 866 10.0.0.1:6379"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct redis_address address;
        assert_false(shard_map_read_moved(bad[i], "asked", &address));
    }
}

/* --- who has what ------------------------------------------------------------------------ */

/* Two shards: {0} in slot 13907, {1} in slot 9842. */
static struct shard_map *map;

static int begin(void **state)
{
    (void)state;
    map = shard_map_create("seek-signal", 2, NULL);
    return map == NULL;
}

static int end(void **state)
{
    (void)state;
    shard_map_destroy(map);
    return 0;
}

static bool read(const char *protocol, struct shard_nodes *out)
{
    struct error error;
    struct redis_reader *reader = redis_reader_create(NULL);
    assert_non_null(reader);
    assert_true(redis_reader_feed(reader, protocol, strlen(protocol), &error));
    struct redis_reply *reply = NULL;
    assert_true(redis_reader_next(reader, &reply, &error));
    assert_non_null(reply);
    bool is_read = shard_map_read(map, reply, "asked", out, &error);
    redis_reply_destroy(reply);
    redis_reader_destroy(reader);
    return is_read;
}

#define NODE(host, port) "*3\r\n$" host "\r\n:" port "\r\n$2\r\nid\r\n"
#define LOCAL "9\r\n127.0.0.1"

static void reads_who_has_what(void **state)
{
    (void)state;
    struct shard_nodes nodes;
    assert_true(read("*2\r\n*4\r\n:0\r\n:9999\r\n" NODE(LOCAL, "7001")
                         NODE(LOCAL, "7002") "*3\r\n:10000\r\n:16383\r\n" NODE(LOCAL, "7003"),
                     &nodes));
    assert_int_equal(nodes.count, 2); /* replicas are of no interest */
    assert_int_equal(nodes.nodes[nodes.node_of[0]].port, 7003);
    assert_int_equal(nodes.nodes[nodes.node_of[1]].port, 7001);
    assert_string_equal(nodes.nodes[nodes.node_of[1]].host, "127.0.0.1");
    assert_true(read("*1\r\n*3\r\n:0\r\n:16383\r\n" NODE("0\r\n", "7001"), &nodes));
    assert_int_equal(nodes.count, 1);
    assert_string_equal(nodes.nodes[0].host, "asked"); /* it does not know its own address */
    assert_true(read("*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$-1\r\n:7001\r\n", &nodes));
    assert_string_equal(nodes.nodes[0].host, "asked");
    assert_true(read("*1\r\n*3\r\n:9000\r\n:9900\r\n" NODE(LOCAL, "7001"), &nodes));
    assert_int_equal(nodes.node_of[0], -1); /* a slot that nobody has */
    assert_int_equal(nodes.node_of[1], 0);
}

#define ALL "*1\r\n*3\r\n:0\r\n:16383\r\n"
#define LOWER "*3\r\n:0\r\n:9999\r\n"
#define UPPER "*3\r\n:10000\r\n:16383\r\n"
#define FACTS(facts) "*4\r\n$1\r\n?\r\n:7001\r\n$2\r\nid\r\n" facts

/* ":0@0 noaddr" in CLUSTER NODES: another node answers where it was. */
static void leaves_out_a_node_without_an_address(void **state)
{
    (void)state;
    struct shard_nodes nodes;
    assert_true(read("*2\r\n" LOWER NODE("0\r\n", "0") UPPER NODE(LOCAL, "7003"), &nodes));
    assert_int_equal(nodes.count, 1);
    assert_int_equal(nodes.nodes[nodes.node_of[0]].port, 7003);
    assert_int_equal(nodes.node_of[1], -1);
}

/* cluster-preferred-endpoint-type hostname, and a node that announces none. */
static void finds_a_node_without_a_name_by_its_address(void **state)
{
    (void)state;
    struct shard_nodes nodes;
    assert_true(read(ALL FACTS("*2\r\n$2\r\nip\r\n$8\r\n10.0.0.1\r\n"), &nodes));
    assert_string_equal(nodes.nodes[0].host, "10.0.0.1");
    assert_true(read(ALL FACTS("*4\r\n$1\r\nx\r\n$1\r\ny\r\n$2\r\nip\r\n$3\r\n::1\r\n"), &nodes));
    assert_string_equal(nodes.nodes[0].host, "::1");
    static const char *const unknown[] = {FACTS("*0\r\n"), FACTS("*1\r\n$2\r\nip\r\n"),
                                          FACTS("$-1\r\n"), NODE("1\r\n?", "7001")};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        char text[256];
        (void)snprintf(text, sizeof text, "*2\r\n" LOWER "%s" UPPER NODE(LOCAL, "7003"),
                       unknown[i]);
        assert_true(read(text, &nodes));
        assert_int_equal(nodes.count, 1);
        assert_int_equal(nodes.node_of[1], -1);
        assert_int_equal(nodes.nodes[nodes.node_of[0]].port, 7003);
    }
}

static void refuses_what_is_no_map(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "*0\r\n",
        ":1\r\n",
        "*1\r\n:1\r\n",
        "*1\r\n*2\r\n:0\r\n:16383\r\n",
        "*1\r\n*3\r\n:0\r\n:16383\r\n*0\r\n",
        "*1\r\n*3\r\n:0\r\n:16383\r\n" NODE(LOCAL, "0"),
        "*1\r\n*3\r\n:0\r\n:16383\r\n" NODE(LOCAL, "65536"),
        "*1\r\n*3\r\n:0\r\n:1\r\n" NODE(LOCAL, "7001"),
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct shard_nodes nodes;
        assert_false(read(texts[i], &nodes));
    }
}

/* No cluster says so: a slot that one node after the other has. */
static void counts_no_more_nodes_than_shards(void **state)
{
    (void)state;
    enum { RANGES = 2 * SHARD_COUNT_MAX };
    static char text[RANGES * 64];
    int length = snprintf(text, sizeof text, "*%d\r\n", RANGES);
    for (int i = 0; i < RANGES; i++)
        length += snprintf(text + length, sizeof text - (size_t)length,
                           "*3\r\n:0\r\n:16383\r\n*2\r\n$9\r\n127.0.0.1\r\n:%d\r\n", 7000 + i);
    struct shard_nodes nodes;
    assert_true(read(text, &nodes));
    assert_int_equal(nodes.count, 1);
    assert_int_equal(nodes.nodes[0].port, 7000);
}

/* --- who asks ---------------------------------------------------------------------------- */

static void is_asked_for_by_one_and_not_too_often(void **state)
{
    (void)state;
    static const struct shard_nodes nodes = {.count = 1};
    assert_int_equal(shard_map_wait_ms(map, 0), 0); /* nothing is known yet */
    assert_true(shard_map_begin(map, 0));
    assert_false(shard_map_begin(map, 0));
    assert_int_equal(shard_map_wait_ms(map, 0), -1);
    shard_map_want(map); /* what is met meanwhile is not forgotten */
    assert_true(shard_map_found(map, &nodes, 5, false, 100));
    assert_int_equal(shard_map_version(map), 1);
    assert_false(shard_map_begin(map, 100 + SHARD_MAP_INTERVAL_MS - 1));
    assert_int_equal(shard_map_wait_ms(map, 100), SHARD_MAP_INTERVAL_MS);
    assert_true(shard_map_begin(map, 100 + SHARD_MAP_INTERVAL_MS));
    shard_map_abandon(map, 2000);
    assert_int_equal(shard_map_wait_ms(map, 2000), SHARD_MAP_INTERVAL_MS);
    assert_true(shard_map_begin(map, 3000));
    assert_true(shard_map_found(map, &nodes, 5, false, 3000));
    assert_int_equal(shard_map_wait_ms(map, 9000), -1); /* nobody wants it */
    assert_false(shard_map_begin(map, 9000));
    static const struct shard_nodes half = {.count = 1, .node_of = {0, -1}};
    shard_map_want(map);
    assert_true(shard_map_begin(map, 9000));
    assert_true(shard_map_found(map, &half, 5, false, 9000));
    assert_int_equal(shard_map_wait_ms(map, 9000), SHARD_MAP_INTERVAL_MS); /* until all are there */
}

static void does_not_go_back(void **state)
{
    (void)state;
    struct shard_nodes nodes = {.count = 1}, known;
    nodes.nodes[0].port = 7001;
    assert_true(shard_map_begin(map, 0));
    assert_true(shard_map_found(map, &nodes, 6, false, 0));
    shard_map_want(map);
    assert_true(shard_map_begin(map, 5000));
    nodes.nodes[0].port = 7002;
    assert_false(shard_map_found(map, &nodes, 5, false, 5000));
    assert_int_equal(shard_map_copy(map, &known), 1);
    assert_int_equal(known.nodes[0].port, 7001);
    assert_true(shard_map_found(map, &nodes, 5, true, 5000)); /* all say so: it was made anew */
    assert_int_equal(shard_map_copy(map, &known), 2);
    assert_int_equal(known.nodes[0].port, 7002);
}

static void must_find(const struct shard_nodes *nodes, int64_t now_ms)
{
    shard_map_want(map);
    assert_true(shard_map_begin(map, now_ms));
    assert_true(shard_map_found(map, nodes, 1, false, now_ms));
}

/* A loop with nothing to do would learn of it by its first call, which the old node refuses. */
static void wakes_all_where_it_has_changed(void **state)
{
    (void)state;
    struct error error;
    struct shard_nodes nodes = {.count = 1, .node_of = {0, -1}};
    struct shard_map_follower followers[2];
    for (size_t i = 0; i < 2; i++) {
        followers[i].loop = event_loop_create(&error);
        assert_non_null(followers[i].loop);
        shard_map_follow(map, &followers[i]);
    }
    nodes.nodes[0] = (struct redis_address){.host = "a", .port = 1};
    for (int step = 0; step < 6; step++) {
        bool is_changed = step % 2 == 0; /* each time once more, the same */
        if (step == 2)
            nodes.node_of[1] = 0;
        if (step == 4)
            nodes.nodes[0].host[0] = 'b';
        must_find(&nodes, step * SHARD_MAP_INTERVAL_MS);
        for (size_t i = 0; i < 2; i++)
            assert_int_equal(event_loop_poll(followers[i].loop, 0), is_changed);
    }
    shard_map_leave(map, &followers[0]);
    nodes.node_of[0] = -1;
    must_find(&nodes, 6 * SHARD_MAP_INTERVAL_MS);
    assert_false(event_loop_poll(followers[0].loop, 0));
    assert_true(event_loop_poll(followers[1].loop, 0));
    shard_map_leave(map, &followers[1]);
    for (size_t i = 0; i < 2; i++)
        event_loop_destroy(followers[i].loop);
}

static void logs_once_that_nobody_knows(void **state)
{
    (void)state;
    struct captured_log *log = captured_log_start();
    static const struct shard_nodes nodes = {.count = 1};
    must_find(&nodes, 0); /* as all begin: nothing to tell */
    shard_map_note_trouble(map, "a: refused");
    assert_int_equal(captured_log_count(log, "\n"), 0); /* another one may know */
    for (int i = 0; i < 3; i++)
        shard_map_note_lost(map, "a:1,b:1");
    assert_int_equal(captured_log_count(log, "\n"), 1);
    assert_int_equal(captured_log_count(log, "a: refused"), 1);
    assert_int_equal(captured_log_count(log, "\"cluster_lost\""), 1);
    assert_int_equal(captured_log_count(log, "\"addresses\":\"a:1,b:1\""), 1);
    shard_map_note_trouble(map, "b: no password");
    shard_map_note_lost(map, "a:1,b:1");
    assert_int_equal(captured_log_count(log, "b: no password"), 1);
    must_find(&nodes, 5000);
    must_find(&nodes, 9000);
    assert_int_equal(captured_log_count(log, "\"cluster_found\""), 1);
    assert_int_equal(captured_log_count(log, "\n"), 3);
    captured_log_stop(log);
    captured_log_destroy(log);
}

#define HERE(sentence, function) IT_WITH(sentence, function, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("finds the slot of a key, by its hash tag", finds_the_slot_of_a_key),
        IT("reads where a slot has moved", reads_where_a_slot_has_moved),
        HERE("wakes all who follow where it has changed", wakes_all_where_it_has_changed),
        HERE("reads which node has which shard", reads_who_has_what),
        HERE("leaves out a node without an address, and no other",
             leaves_out_a_node_without_an_address),
        HERE("finds a node without a name by its address",
             finds_a_node_without_a_name_by_its_address),
        HERE("refuses what is no map", refuses_what_is_no_map),
        HERE("counts no more nodes than shards", counts_no_more_nodes_than_shards),
        HERE("is asked for by one at a time, and not too often",
             is_asked_for_by_one_and_not_too_often),
        HERE("logs once for each reason that no node tells, and that one does again",
             logs_once_that_nobody_knows),
        HERE("does not go back to what an older node tells", does_not_go_back),
    };
    return cmocka_run_group_tests_name("shard_map", tests, NULL, NULL);
}

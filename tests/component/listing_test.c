/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* A listing of many shards asks all of them, and takes no more of Redis than one of a single one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/specification.h"
#include "tests/support/store_driver.h"

enum { SHARDS = 32, MANY = 640, TOKEN_BYTES = 4000, PAGES_MAX = MANY };

static struct redis_server *server;
static struct driver driver;
static char token[TOKEN_BYTES + 1];

static struct {
    unsigned pages;
    size_t count;
    char last_id[16], after_id[16];
    struct store_place after;
} seen;

static void take_page(void *context, const struct store_failure *failure,
                      const struct store_list *list)
{
    (void)context;
    assert_int_equal(failure->status, STORE_OK);
    assert_true(list->count > 0 || list->next.id == NULL);
    for (size_t i = 0; i < list->count; i++) {
        const char *id = list->items[i].application.id;
        assert_true(strcmp(id, seen.last_id) > 0);
        (void)snprintf(seen.last_id, sizeof seen.last_id, "%s", id);
    }
    seen.count += list->count;
    seen.pages++;
    seen.after = list->next;
    if (list->next.id == NULL)
        return;
    (void)snprintf(seen.after_id, sizeof seen.after_id, "%s", list->next.id);
    seen.after.id = seen.after_id;
}

static void list_one_page(void)
{
    struct error error;
    const struct store_list_query query = {
        .listing = LISTING_DUE, .limit = STORE_LIST_MAX, .after = seen.after};
    assert_true(store_list(driver.store, &query, take_page, NULL, &error));
    driver_settle_down(&driver);
}

static long sent_by_redis(void)
{
    static const char name[] = "total_net_output_bytes:";
    const char *found = strstr(redis_server_cli(server, "INFO stats"), name);
    assert_non_null(found);
    return strtol(found + sizeof name - 1, NULL, 10);
}

static void accept_all(void)
{
    char id[16], event[48];
    memset(token, 't', TOKEN_BYTES);
    for (unsigned i = 0; i < MANY; i++) {
        (void)snprintf(id, sizeof id, "A-%04u", i);
        (void)snprintf(event, sizeof event, "0b9cf2d3-9e0b-4e4f-8a00-%04u00000000", i);
        assert_int_equal(must_accept_one(&driver, id, token, event), ACCEPT_ACCEPTED);
    }
}

/* All answers come on the connection that events go by. */
static void bounds_the_bytes_of_a_listing(void **state)
{
    (void)state;
    accept_all();
    long before = sent_by_redis();
    list_one_page();
    long sent = sent_by_redis() - before;
    if (sent > SHARDS * 10 * 1024)
        fail_msg("one page takes %ld bytes", sent);
    while (seen.after.id != NULL && seen.pages < PAGES_MAX)
        list_one_page();
    assert_int_equal(seen.count, MANY);
    assert_true(seen.pages < MANY / 5); /* short ones, but not of one application each */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("bounds the bytes of a listing", bounds_the_bytes_of_a_listing),
    };
    const struct store_options options = {.ttl_ms = DRIVER_TTL_MS,
                                          .lease_ms = DRIVER_LEASE_MS,
                                          .age_max_ms = DRIVER_AGE_MAX_MS,
                                          .shard_count = SHARDS};
    struct redis_url url;
    server = redis_server_start(REDIS_SERVER_UNIX, NULL);
    redis_server_url(server, &url);
    driver_start_with(&driver, &url, &options);
    driver_must_become(&driver, true);
    int result = cmocka_run_group_tests_name("listing", tests, NULL, NULL);
    driver_stop(&driver);
    redis_server_stop(server);
    return result;
}

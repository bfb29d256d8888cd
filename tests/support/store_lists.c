/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "tests/support/store_lists.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/specification.h"
#include "tests/support/store_stand.h"

struct listed_last seen;

static void take_list(void *context, const struct store_failure *failure,
                      const struct store_list *list)
{
    (void)context;
    if (failure->status != STORE_OK)
        fail_msg("failed: %s", failure->detail);
    seen.answers++;
    seen.count = list->count;
    seen.is_more = list->next.id != NULL;
    if (list->count > 0)
        (void)snprintf(seen.id, sizeof seen.id, "%s", list->items[0].application.id);
}

void must_list(enum store_listing listing, const char *code, size_t count)
{
    const struct store_list_query query = {.listing = listing, .filter.code = code, .limit = 200};
    struct error error;
    seen.answers = 0;
    assert_true(store_list(driver.store, &query, take_list, NULL, &error));
    driver_settle_down(&driver);
    assert_int_equal(seen.answers, 1);
    assert_int_equal(seen.count, count);
    assert_false(seen.is_more);
}

static void take_replayed(void *context, const struct store_failure *failure,
                          const struct replay_dead_result *result)
{
    (void)context;
    if (failure->status != STORE_OK)
        fail_msg("failed: %s", failure->detail);
    seen.answers++;
    seen.replayed = *result;
    seen.damaged[0] = '\0';
    for (size_t i = 0; i < result->damaged_count; i++) {
        size_t length = strlen(seen.damaged);
        (void)snprintf(seen.damaged + length, sizeof seen.damaged - length, "%s%s %s",
                       length > 0 ? " " : "", result->damaged[i].application_id,
                       result->damaged[i].field);
    }
}

void must_replay_code(const char *code, bool is_dry, size_t matched)
{
    const struct replay_dead_query query = {.filter.code = code,
                                            .is_dry = is_dry,
                                            .limit = 100,
                                            .gap_us = 1,
                                            .latest_death_ms = -1,
                                            .next_due_us = -1};
    struct error error;
    seen.answers = 0;
    assert_true(store_replay_dead(driver.store, &query, take_replayed, NULL, &error));
    driver_settle_down(&driver);
    assert_int_equal(seen.answers, 1);
    assert_int_equal(seen.replayed.matched, matched);
    assert_null(seen.replayed.next.id);
}

void must_replay_dead(size_t matched)
{
    must_replay_code(NULL, false, matched);
}

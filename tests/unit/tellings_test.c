/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "service/notification/tellings.h"

#include "tests/support/specification.h"

static struct tellings tellings;
static struct store_notify_query query;
static char said_id[64]; /* which the query borrows */

static const struct store_notification answered = {.is_told = true, .is_ours = true};
static const struct store_notification away = {.is_told = false, .is_ours = true};

static int begin(void **state)
{
    (void)state;
    tellings = (struct tellings){.said = NULL};
    return 0;
}

static struct store_notification death_of(const char *id, int64_t died_at_ms)
{
    return (struct store_notification){
        .is_told = true,
        .is_ours = true,
        .has_dead = true,
        .place = {.at_ms = died_at_ms, .id = id},
        .dead = {.application = {.id = id, .died_at_ms = died_at_ms}},
    };
}

static struct store_notification change_of(const char *id)
{
    return (struct store_notification){
        .is_told = true, .is_ours = true, .change = {.to = SENDING_STALLED, .id = id}};
}

static void tell(const struct store_notification *next)
{
    tellings_send(&tellings, next);
    tellings_take(&tellings);
    tellings.sent.id[0] = '\0'; /* its owner's */
}

static void look(const struct store_notification *answer)
{
    query = (struct store_notify_query){.asker = "a"};
    tellings_say(&tellings, &query);
    bool is_dead = query.told.id != NULL;
    const char *id = is_dead ? query.told.id : query.told_change;
    (void)snprintf(said_id, sizeof said_id, "%s%s",
                   is_dead      ? "dead "
                   : id != NULL ? "change "
                                : "nothing",
                   id != NULL ? id : "");
    tellings_hear(&tellings, answer);
}

static void must_say(const char *what, const struct store_notification *answer)
{
    look(answer);
    assert_string_equal(said_id, what);
}

static void says_once_what_was_told(void **state)
{
    (void)state;
    const struct store_notification death = death_of("A", 17);
    must_say("nothing", &answered);
    tell(&death);
    assert_true(tellings_has_any(&tellings));
    must_say("dead A", NULL);
    look(&answered);
    assert_int_equal(query.told.at_ms, 17);
    assert_int_equal(query.told_died_ms, 17);
    assert_false(tellings_has_any(&tellings));
    must_say("nothing", &answered);
}

static void says_again_what_its_shard_did_not_hear(void **state)
{
    (void)state;
    const struct store_notification death = death_of("A", 17), again = death_of("A", 18);
    const struct store_notification other = death_of("B", 17);
    tell(&death);
    look(&away);
    assert_true(tellings_has_any(&tellings));
    assert_int_equal(tellings.told.id[0], '\0'); /* the next may be sent */
    assert_true(tellings_knows(&tellings, &death));
    assert_false(tellings_knows(&tellings, &again));
    assert_false(tellings_knows(&tellings, &other));
    assert_false(tellings_knows(&tellings, &answered));
    tell(&other);
    look(&answered);
    assert_string_equal(tellings.late.id, "A");
    look(&away);
    assert_string_equal(tellings.late.id, "A");
    look(&answered);
    assert_false(tellings_has_any(&tellings));
    assert_false(tellings_knows(&tellings, &death));
}

static void says_a_change_again(void **state)
{
    (void)state;
    const struct store_notification change = change_of("c"), other = change_of("d");
    tell(&change);
    must_say("change c", &away);
    assert_true(tellings_knows(&tellings, &change));
    assert_false(tellings_knows(&tellings, &other));
    look(&answered);
    assert_false(tellings_has_any(&tellings));
}

/* It was told while the look was under way. */
static void keeps_what_the_look_has_not_said(void **state)
{
    (void)state;
    const struct store_notification death = death_of("A", 17);
    query = (struct store_notify_query){.asker = "a"};
    tellings_say(&tellings, &query);
    tell(&death);
    tellings_hear(&tellings, &answered);
    assert_true(tellings_has_any(&tellings));
    must_say("dead A", &answered);
    assert_false(tellings_has_any(&tellings));
}

static void leaves_it_to_another_process_that_tells(void **state)
{
    (void)state;
    static const struct store_notification of_another = {.is_told = false};
    const struct store_notification death = death_of("A", 17);
    tell(&death);
    look(&of_another);
    assert_false(tellings_has_any(&tellings));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT_WITH("says once what was told", says_once_what_was_told, begin, NULL),
        IT_WITH("says again what its shard did not hear", says_again_what_its_shard_did_not_hear,
                begin, NULL),
        IT_WITH("says a change again", says_a_change_again, begin, NULL),
        IT_WITH("keeps what the look has not said", keeps_what_the_look_has_not_said, begin, NULL),
        IT_WITH("leaves it to another process that tells", leaves_it_to_another_process_that_tells,
                begin, NULL),
    };
    return cmocka_run_group_tests_name("tellings", tests, NULL, NULL);
}

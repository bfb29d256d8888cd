/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "service/outbound/attempt.h"

#include "tests/support/specification.h"

enum { SENDING_MAX = 2 };

static struct claim claim_of(const char *application_id)
{
    return (struct claim){.application_id = application_id,
                          .seek_token = "token",
                          .event_id = "11111111-2222-4333-8444-555500000000",
                          .traceparent = "",
                          .generation = 9,
                          .attempt = 2,
                          .age_ms = 70};
}

static int set_up(void **state)
{
    static struct attempts attempts;
    assert_true(attempts_init(&attempts, SENDING_MAX, NULL, NULL));
    *state = &attempts;
    return 0;
}

static int tear_down(void **state)
{
    attempts_fini(*state);
    return 0;
}

static struct attempt *take(struct attempts *attempts, const char *application_id)
{
    const struct claim claim = claim_of(application_id);
    return attempts_take(attempts, &claim, 1000);
}

static void keeps_what_the_claim_says(void **state)
{
    struct attempt *attempt = take(*state, "A-1");
    assert_non_null(attempt);
    assert_string_equal(attempt->application_id, "A-1");
    assert_string_equal(attempt->request_id, "11111111-2222-4333-8444-555500000002");
    assert_string_equal(attempt->seek_token, "token");
    assert_int_equal(attempt->generation, 9);
    assert_int_equal(attempt->number, 2);
    assert_int_equal(attempt->age_ms, 70);
    assert_int_equal(attempt->claimed_at_ms, 1000);
}

/* What Redis gives may have been changed there by anybody. */
static void leaves_out_a_trace_that_is_none(void **state)
{
    static const char good[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    static const char *const traces[] = {
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\nX-Evil: 1", "\r\n", "x",
        "00-0af7651916cd43dd8448eb211c80319\n-b7ad6b7169203331-01"};
    struct claim claim = claim_of("A-1");
    claim.traceparent = good;
    assert_string_equal(attempts_take(*state, &claim, 1000)->traceparent, good);
    for (size_t i = 0; i < sizeof traces / sizeof traces[0]; i++) {
        claim.traceparent = traces[i];
        struct attempt *attempt = attempts_take(*state, &claim, 1000);
        assert_non_null(attempt);
        assert_null(attempt->damage);
        assert_string_equal(attempt->traceparent, "");
    }
}

static void names_what_is_damaged(void **state)
{
    const struct {
        const char *id, *event, *token, *damage;
    } cases[] = {
        {"A\r\nB", NULL, "token", "id"},
        {"A\xff", NULL, "token", "id"},
        {"A", "", "token", "event"},
        {"A", "11111111-2222-4333-8444-55550000000", "token", "event"},
        {"A", "11111111-2222-4333-8444-5555000000000", "token", "event"},
        {"A", "11111111-2222-4333-8444-55550000\r\n00", "token", "event"},
        {"A", "1111111122222-4333-8444-555500000000", "token", "event"},
        {"A", NULL, "", "token"},
        {"A", NULL, "a\nb", "token"},
        {"A", NULL, "\xff\xfe", "token"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct claim claim = claim_of(cases[i].id);
        claim.event_id = cases[i].event != NULL ? cases[i].event : claim.event_id;
        claim.seek_token = cases[i].token;
        struct attempt *attempt = attempts_take(*state, &claim, 1000);
        assert_non_null(attempt);
        assert_non_null(attempt->damage);
        assert_string_equal(attempt->damage, cases[i].damage);
        assert_null(attempt->seek_token);
        attempts_move(*state, attempt, ATTEMPT_FINISHED);
        attempts_move(*state, attempt, ATTEMPT_SETTLING);
        attempts_move(*state, attempt, ATTEMPT_FREE);
    }
}

static struct attempt *begin(struct attempts *attempts, enum attempt_state state)
{
    struct attempt *attempt = take(attempts, "A-1");
    assert_non_null(attempt);
    attempts_move(attempts, attempt, state);
    return attempt;
}

static void has_only_so_many(void **state)
{
    struct attempts *attempts = *state;
    for (size_t i = 0; i < (size_t)3 * SENDING_MAX - 1; i++)
        (void)begin(attempts, ATTEMPT_FINISHED);
    struct attempt *last = begin(attempts, ATTEMPT_FINISHED);
    assert_null(take(attempts, "A-3"));
    assert_int_equal(attempts->counts[ATTEMPT_FREE], 0);

    attempts_move(attempts, last, ATTEMPT_SETTLING);
    attempts_move(attempts, last, ATTEMPT_FINISHED); /* the connection broke */
    attempts_move(attempts, last, ATTEMPT_SETTLING);
    attempts_move(attempts, last, ATTEMPT_FREE);
    assert_ptr_equal(take(attempts, "A-3"), last);
}

static void has_room_beside_what_waits_for_the_store(void **state)
{
    static const struct {
        enum attempt_state next; /* of one more */
        size_t room, claim_room;
    } rows[] = {
        {ATTEMPT_SENDING, 1, 3},  {ATTEMPT_SENDING, 0, 2},  {ATTEMPT_FINISHED, 0, 2},
        {ATTEMPT_FINISHED, 0, 2}, {ATTEMPT_FINISHED, 0, 1}, {ATTEMPT_FINISHED, 0, 0},
    };
    struct attempts *attempts = *state;
    assert_int_equal(attempts_room(attempts), SENDING_MAX);
    assert_int_equal(attempts_claim_room(attempts), 2 * SENDING_MAX);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        (void)begin(attempts, rows[i].next);
        assert_int_equal(attempts_room(attempts), rows[i].room);
        assert_int_equal(attempts_claim_room(attempts), rows[i].claim_room);
    }
    struct attempt *sending = TAILQ_FIRST(&attempts->lists[ATTEMPT_SENDING]);
    attempts_move(attempts, sending, ATTEMPT_FINISHED);
    assert_int_equal(attempts_room(attempts), 1);
    assert_int_equal(attempts->returned_count, 1);
}

static void keeps_those_in_a_state_in_their_order(void **state)
{
    struct attempts *attempts = *state;
    struct attempt *first = begin(attempts, ATTEMPT_SENDING);
    struct attempt *second = begin(attempts, ATTEMPT_FINISHED);
    attempts_move(attempts, first, ATTEMPT_FINISHED);
    assert_ptr_equal(TAILQ_FIRST(&attempts->lists[ATTEMPT_FINISHED]), second);
    assert_ptr_equal(TAILQ_NEXT(second, links), first);
    assert_null(TAILQ_NEXT(first, links));
    assert_true(TAILQ_EMPTY(&attempts->lists[ATTEMPT_SENDING]));
}

static void forgets_the_seek_token_when_it_is_sent(void **state)
{
    struct attempts *attempts = *state;
    struct attempt *attempt = take(attempts, "A-1");
    attempts_move(attempts, attempt, ATTEMPT_SENDING);
    assert_non_null(attempt->seek_token);
    attempts_move(attempts, attempt, ATTEMPT_FINISHED);
    assert_null(attempt->seek_token);
}

static void refuses_ids_that_cannot_be_ours(void **state)
{
    char long_id[APPLICATION_ID_BYTES_MAX + 2];
    memset(long_id, 'a', sizeof long_id);
    long_id[sizeof long_id - 1] = '\0';
    assert_null(take(*state, long_id));
    long_id[sizeof long_id - 2] = '\0';
    assert_non_null(take(*state, long_id));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT_WITH("keeps what the claim says", keeps_what_the_claim_says, set_up, tear_down),
        IT_WITH("has only so many, and uses them again", has_only_so_many, set_up, tear_down),
        IT_WITH("has room for as many as may be sent, beside what waits for the store",
                has_room_beside_what_waits_for_the_store, set_up, tear_down),
        IT_WITH("keeps those in a state in their order", keeps_those_in_a_state_in_their_order,
                set_up, tear_down),
        IT_WITH("forgets the seek-token when it has been sent",
                forgets_the_seek_token_when_it_is_sent, set_up, tear_down),
        IT_WITH("refuses ids that cannot be ours", refuses_ids_that_cannot_be_ours, set_up,
                tear_down),
        IT_WITH("leaves out a trace that is none", leaves_out_a_trace_that_is_none, set_up,
                tear_down),
        IT_WITH("names what is damaged and cannot be sent", names_what_is_damaged, set_up,
                tear_down),
    };
    return cmocka_run_group_tests_name("attempt", tests, NULL, NULL);
}

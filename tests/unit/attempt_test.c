/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "service/outbound/attempt.h"

#include "tests/support/specification.h"

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
    assert_true(attempts_init(&attempts, 2, NULL, NULL));
    *state = &attempts;
    return 0;
}

static int tear_down(void **state)
{
    attempts_fini(*state);
    return 0;
}

static struct attempt *prepare(struct attempts *attempts, const char *application_id)
{
    const struct claim claim = claim_of(application_id);
    return attempts_prepare(attempts, &claim, 1000);
}

static void keeps_what_the_claim_says(void **state)
{
    struct attempt *attempt = prepare(*state, "A-1");
    assert_non_null(attempt);
    assert_string_equal(attempt->application_id, "A-1");
    assert_string_equal(attempt->request_id, "11111111-2222-4333-8444-555500000002");
    assert_string_equal(attempt->seek_token, "token");
    assert_int_equal(attempt->generation, 9);
    assert_int_equal(attempt->number, 2);
    assert_int_equal(attempt->age_ms, 70);
    assert_int_equal(attempt->claimed_at_ms, 1000);
}

static void has_only_so_many(void **state)
{
    struct attempts *attempts = *state;
    attempts_move(attempts, prepare(attempts, "A-1"), ATTEMPT_SENDING);
    struct attempt *second = prepare(attempts, "A-2");
    attempts_move(attempts, second, ATTEMPT_FINISHED);
    assert_null(prepare(attempts, "A-3"));
    assert_int_equal(attempts->counts[ATTEMPT_FREE], 0);

    attempts_move(attempts, second, ATTEMPT_SETTLING);
    attempts_move(attempts, second, ATTEMPT_FINISHED); /* the connection broke */
    attempts_move(attempts, second, ATTEMPT_SETTLING);
    attempts_move(attempts, second, ATTEMPT_FREE);
    assert_ptr_equal(prepare(attempts, "A-3"), second);
}

static void forgets_the_seek_token_when_it_is_sent(void **state)
{
    struct attempts *attempts = *state;
    struct attempt *attempt = prepare(attempts, "A-1");
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
    assert_null(prepare(*state, long_id));
    long_id[sizeof long_id - 2] = '\0';
    assert_non_null(prepare(*state, long_id));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT_WITH("keeps what the claim says", keeps_what_the_claim_says, set_up, tear_down),
        IT_WITH("has only so many, and uses them again", has_only_so_many, set_up, tear_down),
        IT_WITH("forgets the seek-token when it has been sent",
                forgets_the_seek_token_when_it_is_sent, set_up, tear_down),
        IT_WITH("refuses ids that cannot be ours", refuses_ids_that_cannot_be_ours, set_up,
                tear_down),
    };
    return cmocka_run_group_tests_name("attempt", tests, NULL, NULL);
}

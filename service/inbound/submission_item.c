/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/inbound/submission_item.h"

#include <assert.h>

const struct outcome_kind *submission_outcome_kind(enum accept_outcome outcome)
{
    static const struct outcome_kind kinds[] = {
        [ACCEPT_ACCEPTED] = {"accepted", INTAKE_ACCEPTED, NULL},
        [ACCEPT_DUPLICATE] = {"duplicate", INTAKE_DUPLICATE, NULL},
        [ACCEPT_REPLACED] = {"replaced", INTAKE_REPLACED, NULL},
        [ACCEPT_NO_TOKEN] = {"no_token", INTAKE_REFUSED,
                             "No seek-token is known for the application"},
        [ACCEPT_DAMAGED] = {"damaged", INTAKE_REFUSED,
                            "The application's key in Redis is not a hash"},
    };
    assert((size_t)outcome < sizeof kinds / sizeof kinds[0]);
    return &kinds[outcome];
}

bool submission_item_is_stored(const struct submission_item *item)
{
    return item->fate == ITEM_STORED && submission_outcome_kind(item->outcome)->refusal == NULL;
}

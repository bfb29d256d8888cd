/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/sandbox/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/array.h"

struct ledger *ledger_create(size_t calls_max, struct error *error)
{
    struct ledger *ledger = calloc(1, sizeof *ledger);
    if (ledger == NULL) {
        (void)error_out_of_memory(error);
        return NULL;
    }
    ledger->calls_max = calls_max;
    ledger->sequence_first = 1;
    signal_index_init(&ledger->signals);
    return ledger;
}

static void forget_calls(struct ledger *ledger)
{
    for (size_t i = 0; i < ledger->count; i++)
        sandbox_call_destroy(ledger->calls[i]);
    free(ledger->calls);
    signal_index_fini(&ledger->signals);
}

void ledger_destroy(struct ledger *ledger)
{
    if (ledger == NULL)
        return;
    forget_calls(ledger);
    free(ledger);
}

void ledger_clear(struct ledger *ledger)
{
    forget_calls(ledger);
    *ledger = (struct ledger){.calls_max = ledger->calls_max,
                              .sequence_first = ledger->sequence_first + ledger->count};
}

static struct tally *find_tally(struct tally tallies[TALLIES_MAX], const char *outcome)
{
    struct tally *tally = tallies;
    for (; tally < tallies + TALLIES_MAX - 1; tally++) {
        if (tally->count == 0)
            (void)snprintf(tally->outcome, sizeof tally->outcome, "%s", outcome);
        if (strcmp(tally->outcome, outcome) == 0)
            return tally;
    }
    (void)snprintf(tally->outcome, sizeof tally->outcome, "other");
    return tally;
}

static void count_call(struct ledger *ledger, const struct sandbox_call *call, bool is_expired)
{
    enum call_kind kind = call->facts.kind;
    ledger->totals[kind]++;
    find_tally(ledger->tallies[kind], call_text(call, CALL_OUTCOME))->count++;
    ledger->delivered += call->facts.is_delivered;
    ledger->expired += call->facts.is_delivered && is_expired;
}

static bool reserve(struct ledger *ledger, size_t bytes)
{
    if (ledger->count == ledger->calls_max || bytes > LEDGER_BYTES_MAX - ledger->bytes)
        return false;
    struct sandbox_call **calls = array_reserve(ledger->calls, &ledger->capacity, ledger->count + 1,
                                                sizeof(struct sandbox_call *));
    if (calls == NULL)
        return false;
    ledger->calls = calls;
    return true;
}

bool ledger_add(struct ledger *ledger, struct sandbox_call *take_call, bool is_expired)
{
    AUTO(sandbox_call) *call = take_call;
    count_call(ledger, call, is_expired);
    /* Once full it stays full, so that what it holds is a beginning without gaps. */
    ledger->is_full = ledger->is_full || !reserve(ledger, call->size);
    bool has_signal = call->facts.is_delivered && call_text(call, CALL_SEEK_TOKEN) != NULL;
    if (!ledger->is_full && has_signal)
        ledger->is_full = !signal_index_add(&ledger->signals, call, NULL);
    if (ledger->is_full)
        return false;
    call->sequence = ledger->sequence_first + ledger->count;
    ledger->bytes += call->size;
    ledger->calls[ledger->count++] = STEAL(call);
    return true;
}

/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "service/store/event_id.h"
#include "service/store/script_call.h"

void script_call_add_bytes(struct script_call *call, const char *bytes, size_t length)
{
    assert(call->arguments_count < call->arguments_max);
    if (!buffer_append(&call->text, bytes, length, NULL))
        call->is_incomplete = true;
    call->lengths[call->arguments_count++] = length;
}

void script_call_add_text(struct script_call *call, const char *text)
{
    script_call_add_bytes(call, text, text != NULL ? strlen(text) : 0);
}

void script_call_add_event_id(struct script_call *call, const char *event_id)
{
    unsigned char stored[EVENT_ID_SHORT_BYTES];
    size_t length = event_id_shorten(event_id, stored);
    if (length > 0)
        script_call_add_bytes(call, (const char *)stored, length);
    else
        script_call_add_bytes(call, event_id, strlen(event_id));
}

void script_call_add_number(struct script_call *call, int64_t number)
{
    assert(call->arguments_count < call->arguments_max);
    size_t before = call->text.length;
    if (!buffer_append_integer(&call->text, number, NULL))
        call->is_incomplete = true;
    call->lengths[call->arguments_count++] = call->text.length - before;
}

void script_call_add_generation(struct script_call *call, uint64_t generation)
{
    enum { BYTES = 7, BITS = 8 };
    char bytes[BYTES];
    assert(generation >> (BYTES * BITS) == 0);
    for (unsigned i = 0; i < BYTES; i++)
        bytes[i] = (char)(unsigned char)(generation >> (BITS * (BYTES - 1 - i)));
    script_call_add_bytes(call, bytes, BYTES);
}

void script_call_extend_text(struct script_call *call, const char *text)
{
    size_t length = strlen(text);
    assert(call->arguments_count > 0);
    if (!buffer_append(&call->text, text, length, NULL))
        call->is_incomplete = true;
    call->lengths[call->arguments_count - 1] += length;
}

void script_call_extend_number(struct script_call *call, int64_t number)
{
    size_t before = call->text.length;
    assert(call->arguments_count > 0);
    if (!buffer_append_integer(&call->text, number, NULL))
        call->is_incomplete = true;
    call->lengths[call->arguments_count - 1] += call->text.length - before;
}

void script_call_add_stamp(struct script_call *call, int64_t us, uint32_t life)
{
    script_call_add_text(call, NULL);
    script_call_extend_stamp(call, us, life);
}

void script_call_extend_stamp(struct script_call *call, int64_t us, uint32_t life)
{
    enum { LIFE_BYTES = 1 + 8 + 1 };
    char text[LIFE_BYTES];
    script_call_extend_number(call, us);
    if (us == 0 || life == 0)
        return;
    (void)snprintf(text, sizeof text, ".%08" PRIx32, life);
    script_call_extend_text(call, text);
}

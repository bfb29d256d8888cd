/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/sandbox/call.h"

#include <stdlib.h>
#include <string.h>

struct sandbox_call *sandbox_call_create(const struct call_facts *facts, struct error *error)
{
    size_t size = sizeof(struct sandbox_call);
    for (size_t i = 0; i < CALL_TEXT_COUNT; i++)
        if (facts->texts[i].bytes != NULL)
            size += facts->texts[i].length + 1;
    struct sandbox_call *call = malloc(size);
    if (call == NULL) {
        (void)error_out_of_memory(error);
        return NULL;
    }
    *call = (struct sandbox_call){.facts = *facts, .size = size};
    char *next = call->bytes;
    for (size_t i = 0; i < CALL_TEXT_COUNT; i++) {
        struct json_text *text = &call->facts.texts[i];
        if (text->bytes == NULL)
            continue;
        memcpy(next, text->bytes, text->length);
        next[text->length] = '\0';
        text->bytes = next;
        next += text->length + 1;
    }
    return call;
}

void sandbox_call_destroy(struct sandbox_call *call)
{
    free(call);
}

const char *call_text(const struct sandbox_call *call, enum call_text which)
{
    return call->facts.texts[which].bytes;
}

/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* The first byte says the format ('0' to '3'), the rest is the body. */
#include <assert.h>
#include <string.h>

#include "lib/base/utf8.h"

#include "service/domain/event.h"
#include "service/domain/seek_token.h"

#include "tests/fuzz/fuzz_target.h"

enum { BATCH_MAX = 3, FORMAT_COUNT = EVENT_FORMAT_CLOUD_EVENT_BATCH + 1 };

static void check_rejection(const struct rejection *rejection)
{
    assert((unsigned)rejection->code < REJECTION_CODE_COUNT);
    assert(rejection->code != REJECTED_OUT_OF_MEMORY);
    assert(rejection->detail[0] != '\0');
    assert(memchr(rejection->field, '\0', sizeof rejection->field) != NULL);
    assert(memchr(rejection->detail, '\0', sizeof rejection->detail) != NULL);
    assert(memchr(rejection->remedy, '\0', sizeof rejection->remedy) != NULL);
    assert(utf8_is_valid(rejection->detail, strlen(rejection->detail)));
}

static void check_event(const struct event *event)
{
    struct rejection ignored;
    assert(application_id_check(event->application_id, strlen(event->application_id), &ignored));
    if (event->seek_token != NULL)
        assert(seek_token_check(event->seek_token, strlen(event->seek_token), &ignored));
    char traceparent[TRACEPARENT_BYTES + 1];
    if (event->traceparent != NULL)
        assert(traceparent_read(event->traceparent, traceparent));
    assert(event->completed_at_ms >= EVENT_COMPLETED_AT_UNKNOWN);
}

static void check_list(const struct event_list *list)
{
    assert(list->count > 0 && list->count <= BATCH_MAX);
    assert(list->is_batch || (list->count == 1 && list->entries[0].event != NULL));
    for (size_t i = 0; i < list->count; i++) {
        if (list->entries[i].event != NULL)
            check_event(list->entries[i].event);
        else
            check_rejection(&list->entries[i].rejection);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    enum event_format format = (enum event_format)((unsigned)data[0] % FORMAT_COUNT);
    struct rejection rejection = {.detail = ""};
    AUTO(event_list) *list =
        event_list_parse((const char *)data + 1, size - 1, format, BATCH_MAX, &rejection);
    if (list == NULL)
        check_rejection(&rejection);
    else
        check_list(list);
    return 0;
}

/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/command/blocking_request.h"

#include <stdio.h>

#include "lib/net/event_loop.h"

struct request_wait {
    struct blocking_answer *answer;
    struct error *error;
    bool is_done;
    bool is_kept;
};

static void keep(void *context, const struct http_exchange *exchange)
{
    struct request_wait *wait = context;
    wait->answer->outcome = exchange->outcome;
    wait->answer->status = exchange->status;
    (void)snprintf(wait->answer->detail, sizeof wait->answer->detail, "%s", exchange->detail);
    (void)snprintf(wait->answer->content_type, sizeof wait->answer->content_type, "%s",
                   exchange->content_type);
    (void)snprintf(wait->answer->link, sizeof wait->answer->link, "%s",
                   exchange->link != NULL ? exchange->link : "");
    (void)snprintf(wait->answer->date, sizeof wait->answer->date, "%s",
                   exchange->date != NULL ? exchange->date : "");
    wait->is_kept =
        buffer_append(&wait->answer->body, exchange->body, exchange->body_length, wait->error);
    wait->is_done = true;
}

bool blocking_request(const struct http_client_options *options, struct http_transfer transfer,
                      struct blocking_answer *out, struct error *error)
{
    *out = (struct blocking_answer){0};
    buffer_init(&out->body, BLOCKING_ANSWER_BYTES_MAX);
    AUTO(event_loop) *loop = event_loop_create(error);
    if (loop == NULL)
        return false;
    AUTO(http_client) *client = http_client_create(options, loop, error);
    if (client == NULL)
        return false;
    struct request_wait wait = {.answer = out, .error = error};
    if (transfer.answer_bytes_max == 0)
        transfer.answer_bytes_max = BLOCKING_ANSWER_BYTES_MAX;
    transfer.done = keep;
    transfer.context = &wait;
    if (!http_client_start(client, &transfer, error))
        return false;
    while (!wait.is_done) {
        int64_t wait_ms = http_client_timeout_ms(client);
        event_loop_poll(loop, wait_ms >= 0 ? wait_ms : 1000);
        http_client_turn(client);
    }
    return wait.is_kept;
}

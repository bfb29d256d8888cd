/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/base/random.h"
#include "lib/net/event_loop.h"

#include "service/command/check_parts.h"
#include "service/config/config.h"
#include "service/notification/receiver.h"
#include "service/serve/notifying.h"

struct trial {
    bool is_answered, is_taken;
    char reason[ERROR_MESSAGE_BYTES];
};

static void on_answered(void *context, enum receiver_verdict verdict, const char *reason)
{
    struct trial *trial = context;
    trial->is_answered = true;
    trial->is_taken = verdict == RECEIVER_TOOK;
    (void)snprintf(trial->reason, sizeof trial->reason, "%s", reason);
}

/* One try; the receiver's own time-out ends it. */
static bool tell(const struct config *config, struct event_loop *loop, struct buffer *body,
                 struct trial *trial, struct error *error)
{
    const struct receiver_options options = notifying_receiver_options(config);
    char id[NOTIFICATION_ID_BYTES], uuid[UUID_BYTES];
    uuid_v4(uuid);
    if (!notification_write_test(body, config->redis_prefix, uuid, clock_wall_ms(), id, error))
        return false;
    AUTO(receiver) *receiver = receiver_create(&options, loop, on_answered, trial, error);
    if (receiver == NULL)
        return false;
    receiver_send(receiver, id, body, clock_monotonic_ms());
    while (!trial->is_answered) {
        event_loop_poll(loop, receiver_timeout_ms(receiver));
        receiver_turn(receiver);
    }
    return true;
}

bool check_receiver(const struct config *config)
{
    struct error error;
    if (config->notify_url == NULL)
        return true;
    AUTO(event_loop) *loop = event_loop_create(&error);
    if (loop == NULL)
        return check_report(false, "notifications", "%s", error.message);
    struct trial trial = {.is_answered = false};
    struct buffer body;
    buffer_init(&body, NOTIFICATION_BYTES_MAX);
    bool is_told = tell(config, loop, &body, &trial, &error);
    buffer_fini(&body);
    if (!is_told)
        return check_report(false, "notifications", "%s", error.message);
    if (!trial.is_taken)
        return check_report(false, "notifications", "%s: %s", config->notify_url, trial.reason);
    return check_report(true, "notifications", "%s took a notification.test", config->notify_url);
}

/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/notification/notification.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/json.h"
#include "lib/base/rfc3339.h"
#include "lib/base/sha256.h"

enum { UUID_LENGTH = 36, HASH_SHOWN = 16 };

/* Left out when it is empty. */
static bool write_text(struct buffer *out, const char *name, const char *text, struct error *error)
{
    if (text[0] == '\0')
        return true;
    return buffer_append_format(out, error, ",\"%s\":", name) &&
           json_append_string(out, text, strlen(text), error);
}

static bool write_time(struct buffer *out, const char *name, int64_t wall_ms, struct error *error)
{
    char text[RFC3339_BYTES];
    if (wall_ms <= 0)
        return true;
    rfc3339_format(wall_ms, text);
    return buffer_append_format(out, error, ",\"%s\":\"%s\"", name, text);
}

static bool write_attributes(struct buffer *out, const char *source, const char *type,
                             const char *id, int64_t at_ms, struct error *error)
{
    char time[RFC3339_BYTES];
    rfc3339_format(at_ms, time);
    return buffer_append_format(out, error,
                                "{\"specversion\":\"1.0\",\"id\":\"%s\",\"source\":\"urn:seek-"
                                "signal:%s\",\"type\":\"%s\",\"time\":\"%s\","
                                "\"datacontenttype\":\"application/json\"",
                                id, source, type, time);
}

/* The id goes into a header, and somebody else may have written what stands in Redis. */
static bool is_event_id(const char *text)
{
    size_t length = strlen(text);
    return length > 0 && length <= UUID_LENGTH && strspn(text, "0123456789abcdefABCDEF-") == length;
}

/* One for each death: of the event, or where that has no id, of the application. */
static bool write_id(const struct application *dead, int64_t died_at_ms,
                     char out[NOTIFICATION_ID_BYTES], struct error *error)
{
    unsigned char digest[SHA256_BYTES];
    char name[2 * HASH_SHOWN + 1];
    if (is_event_id(dead->event_id)) {
        (void)snprintf(out, NOTIFICATION_ID_BYTES, "%s-%" PRId64, dead->event_id, died_at_ms);
        return true;
    }
    if (!sha256(dead->id, strlen(dead->id), digest, error))
        return false;
    for (size_t i = 0; i < HASH_SHOWN; i++)
        (void)snprintf(name + 2 * i, 3, "%02x", digest[i]);
    (void)snprintf(out, NOTIFICATION_ID_BYTES, "%s-%" PRId64, name, died_at_ms);
    return true;
}

static bool write_last_error(struct buffer *out, const struct application *dead,
                             struct error *error)
{
    return buffer_append_text(out, ",\"lastError\":{\"class\":", error) &&
           json_append_string(out, dead->last_class, strlen(dead->last_class), error) &&
           write_text(out, "code", dead->last_code, error) &&
           write_text(out, "message", dead->last_message, error) &&
           (dead->last_http_status == 0 ||
            buffer_append_format(out, error, ",\"httpStatus\":%u", dead->last_http_status)) &&
           buffer_append_text(out, "}", error);
}

static bool write_dead_data(struct buffer *out, const struct application *dead, int64_t died_at_ms,
                            struct error *error)
{
    return buffer_append_text(out, ",\"data\":{\"applicationId\":", error) &&
           json_append_string(out, dead->id, strlen(dead->id), error) &&
           write_text(out, "eventId", dead->event_id, error) &&
           buffer_append_format(out, error, ",\"state\":\"dead\",\"attempts\":%u",
                                dead->attempts) &&
           write_time(out, "acceptedAt", dead->accepted_at_ms, error) &&
           write_time(out, "completedAt", dead->completed_at_ms, error) &&
           write_time(out, "diedAt", died_at_ms, error) && write_last_error(out, dead, error) &&
           buffer_append_text(out, "}}", error);
}

bool notification_write_dead(struct buffer *out, const char *source, const struct application *dead,
                             int64_t died_at_ms, char out_id[NOTIFICATION_ID_BYTES],
                             struct error *error)
{
    assert(dead->id[0] != '\0');
    if (died_at_ms <= 0)
        return error_set(error, ERROR_INVALID, "Redis keeps no time of the death");
    return write_id(dead, died_at_ms, out_id, error) &&
           write_attributes(out, source, "application.dead", out_id, died_at_ms, error) &&
           write_text(out, "subject", dead->id, error) &&
           write_text(out, "traceparent", dead->traceparent, error) &&
           write_dead_data(out, dead, died_at_ms, error);
}

bool notification_write_change(struct buffer *out, const char *source,
                               const struct store_change *change,
                               char out_id[NOTIFICATION_ID_BYTES], struct error *error)
{
    assert(change->to != SENDING_UNKNOWN);
    bool is_stalled = change->to == SENDING_STALLED;
    if (!is_event_id(change->id))
        return error_set(error, ERROR_INVALID, "the change of sending that Redis keeps has no id");
    (void)snprintf(out_id, NOTIFICATION_ID_BYTES, "%s", change->id);
    return write_attributes(out, source, is_stalled ? "sending.stalled" : "sending.resumed", out_id,
                            change->at_ms, error) &&
           buffer_append_format(out, error, ",\"data\":{\"state\":\"%s\"",
                                is_stalled ? "stalled" : "resumed") &&
           write_text(out, "reason", change->reason, error) &&
           write_text(out, "detail", change->detail, error) && buffer_append_text(out, "}}", error);
}

bool notification_write_test(struct buffer *out, const char *source, const char *uuid,
                             int64_t now_ms, char out_id[NOTIFICATION_ID_BYTES],
                             struct error *error)
{
    assert(is_event_id(uuid));
    (void)snprintf(out_id, NOTIFICATION_ID_BYTES, "%s", uuid);
    return write_attributes(out, source, "notification.test", out_id, now_ms, error) &&
           buffer_append_text(out, ",\"data\":{\"sentBy\":\"seek-signal check\"}}", error);
}

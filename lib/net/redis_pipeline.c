/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/net/redis_pipeline.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/base/buffer.h"
#include "lib/base/clock.h"
#include "lib/net/redis_command.h"
#include "lib/net/redis_pending.h"
#include "lib/net/redis_reader.h"

enum {
    OUTPUT_BYTES_MAX = 64 << 20,
    OUTPUT_BYTES_KEPT = 64 << 10, /* a larger one, as of the scripts at the start, is given back */
    READ_BYTES = STREAM_READ_BYTES_MIN,
    READS_PER_CALL = 64, /* other work of the loop gets its turn after 1 MiB */
};

struct redis_pipeline {
    struct stream *stream;       /* owned */
    struct redis_reader *reader; /* owned */
    struct redis_pending pending;
    struct buffer output;
    struct redis_reply *delivered; /* owned; while its command's callback runs */
    size_t written;                /* of output, from its front */
};

struct redis_pipeline *redis_pipeline_create(struct stream *take_stream, struct error *error)
{
    struct redis_pipeline *pipeline = calloc(1, sizeof *pipeline);
    if (pipeline == NULL) {
        stream_destroy(take_stream);
        (void)error_out_of_memory(error);
        return NULL;
    }
    pipeline->stream = take_stream;
    buffer_init(&pipeline->output, OUTPUT_BYTES_MAX);
    pipeline->reader = redis_reader_create(error);
    if (pipeline->reader == NULL) {
        redis_pipeline_destroy(pipeline);
        return NULL;
    }
    return pipeline;
}

void redis_pipeline_destroy(struct redis_pipeline *pipeline)
{
    if (pipeline == NULL)
        return;
    assert(pipeline->delivered == NULL); /* no callback runs */
    struct redis_pending_command command;
    if (redis_pending_oldest(&pipeline->pending) == NULL)
        stream_finish(pipeline->stream);
    while (redis_pending_pop(&pipeline->pending, &command))
        command.done(command.context, REDIS_LOST, NULL);
    redis_pending_fini(&pipeline->pending);
    redis_reader_destroy(pipeline->reader);
    stream_destroy(pipeline->stream);
    buffer_wipe(&pipeline->output); /* may hold AUTH */
    buffer_fini(&pipeline->output);
    free(pipeline);
}

bool redis_pipeline_send(struct redis_pipeline *pipeline, size_t argument_count,
                         const char *const arguments[], const size_t lengths[], redis_done done,
                         void *context, struct error *error)
{
    assert(pipeline->written <= pipeline->output.length);
    if (!redis_pending_reserve(&pipeline->pending, error) ||
        !redis_command_append(&pipeline->output, argument_count, arguments, lengths, error))
        return false;
    redis_pending_push(&pipeline->pending,
                       (struct redis_pending_command){
                           .done = done, .context = context, .sent_at_ms = clock_monotonic_ms()});
    return true;
}

/* What was written is cut off when it is all or most of the buffer, so that each byte is moved at
 * most once on average. */
static void forget_written(struct redis_pipeline *pipeline)
{
    if (!redis_pipeline_has_unwritten(pipeline)) {
        if (pipeline->output.capacity > OUTPUT_BYTES_KEPT)
            buffer_fini(&pipeline->output);
        buffer_clear(&pipeline->output);
    } else if (pipeline->written > pipeline->output.length / 2) {
        buffer_consume(&pipeline->output, pipeline->written);
    } else {
        return;
    }
    pipeline->written = 0;
}

static enum stream_status write_piece(struct redis_pipeline *pipeline, struct error *error)
{
    size_t length = 0;
    enum stream_status status =
        stream_write(pipeline->stream, pipeline->output.bytes + pipeline->written,
                     pipeline->output.length - pipeline->written, &length, error);
    if (status == STREAM_DONE)
        pipeline->written += length;
    assert(pipeline->written <= pipeline->output.length);
    return status;
}

bool redis_pipeline_write(struct redis_pipeline *pipeline, struct error *error)
{
    enum stream_status status = STREAM_DONE;
    while (redis_pipeline_has_unwritten(pipeline) && status == STREAM_DONE)
        status = write_piece(pipeline, error);
    if (status == STREAM_ENDED)
        return error_set(error, ERROR_IO, "Redis closed the connection");
    if (status == STREAM_FAILED)
        return false;
    forget_written(pipeline);
    return true;
}

/* Hands out every reply that is complete now. */
static bool deliver(struct redis_pipeline *pipeline, const char *bytes, size_t length,
                    struct error *error)
{
    if (!redis_reader_feed(pipeline->reader, bytes, length, error))
        return false;
    for (;;) {
        AUTO(redis_reply) *reply = NULL;
        if (!redis_reader_next(pipeline->reader, &reply, error))
            return false;
        if (reply == NULL)
            return true;
        struct redis_pending_command command;
        if (!redis_pending_pop(&pipeline->pending, &command))
            return error_set(error, ERROR_PROTOCOL, "Redis sent a reply that nobody asked for");
        assert(pipeline->delivered == NULL);
        pipeline->delivered = STEAL(reply);
        command.done(command.context, REDIS_OK, pipeline->delivered);
        redis_reply_destroy(STEAL(pipeline->delivered));
    }
}

struct redis_reply *redis_pipeline_keep_reply(struct redis_pipeline *pipeline)
{
    assert(pipeline->delivered != NULL);
    return STEAL(pipeline->delivered);
}

bool redis_pipeline_read(struct redis_pipeline *pipeline, struct error *error)
{
    char bytes[READ_BYTES];
    bool has_more = true;
    for (unsigned i = 0; has_more && i < READS_PER_CALL; i++) {
        size_t length = 0;
        switch (stream_read(pipeline->stream, bytes, sizeof bytes, &length, error)) {
        case STREAM_DONE:
            if (!deliver(pipeline, bytes, length, error))
                return false;
            has_more = length == sizeof bytes;
            break;
        case STREAM_AGAIN:
            return true;
        case STREAM_ENDED:
            return error_set(error, ERROR_IO, "Redis closed the connection");
        case STREAM_FAILED:
            return false;
        }
    }
    return true;
}

bool redis_pipeline_is_readable(const struct redis_pipeline *pipeline)
{
    return stream_is_readable(pipeline->stream);
}

bool redis_pipeline_has_unwritten(const struct redis_pipeline *pipeline)
{
    return pipeline->written < pipeline->output.length;
}

bool redis_pipeline_can_write(const struct redis_pipeline *pipeline)
{
    return redis_pipeline_has_unwritten(pipeline) && stream_is_writable(pipeline->stream);
}

int64_t redis_pipeline_oldest_ms(const struct redis_pipeline *pipeline)
{
    const struct redis_pending_command *oldest = redis_pending_oldest(&pipeline->pending);
    return oldest != NULL ? oldest->sent_at_ms : INT64_MAX;
}

void redis_pipeline_wipe(struct redis_pipeline *pipeline)
{
    assert(!redis_pipeline_has_unwritten(pipeline));
    buffer_wipe(&pipeline->output);
}

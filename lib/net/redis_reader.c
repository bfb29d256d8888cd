/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/net/redis_reader.h"

#include <assert.h>
#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdlib.h>

enum { REPLY_BYTES_MAX = 64 << 20 };

struct redis_reader {
    redisReader *parser;     /* owned */
    size_t bytes_unanswered; /* fed since the last complete reply */
};

struct redis_reader *redis_reader_create(struct error *error)
{
    struct redis_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        goto fail;
    reader->parser = redisReaderCreate();
    if (reader->parser == NULL)
        goto fail;
    return reader;
fail:
    redis_reader_destroy(reader);
    (void)error_out_of_memory(error);
    return NULL;
}

void redis_reader_destroy(struct redis_reader *reader)
{
    if (reader == NULL)
        return;
    if (reader->parser != NULL)
        redisReaderFree(reader->parser);
    free(reader);
}

bool redis_reader_feed(struct redis_reader *reader, const char *bytes, size_t length,
                       struct error *error)
{
    assert(reader->bytes_unanswered <= REPLY_BYTES_MAX);
    if (length > REPLY_BYTES_MAX - reader->bytes_unanswered)
        return error_set(error, ERROR_PROTOCOL, "a reply of Redis is longer than %d bytes",
                         (int)REPLY_BYTES_MAX);
    if (redisReaderFeed(reader->parser, bytes, length) != REDIS_OK)
        return error_set(error, ERROR_PROTOCOL, "%s", reader->parser->errstr);
    reader->bytes_unanswered += length;
    return true;
}

bool redis_reader_next(struct redis_reader *reader, struct redis_reply **out, struct error *error)
{
    void *reply = NULL;
    if (redisReaderGetReply(reader->parser, &reply) != REDIS_OK)
        return error_set(error, ERROR_PROTOCOL, "not Redis's protocol: %s", reader->parser->errstr);
    if (reply != NULL)
        reader->bytes_unanswered = 0;
    *out = reply;
    return true;
}

void redis_reply_destroy(struct redis_reply *reply)
{
    if (reply != NULL)
        freeReplyObject(reply);
}

static const redisReply *seen(const struct redis_reply *reply)
{
    return (const redisReply *)(const void *)reply;
}

enum redis_type redis_reply_type(const struct redis_reply *reply)
{
    switch (seen(reply)->type) {
    case REDIS_REPLY_INTEGER:
        return REDIS_TYPE_INTEGER;
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
        return REDIS_TYPE_TEXT;
    case REDIS_REPLY_ERROR:
        return REDIS_TYPE_ERROR;
    case REDIS_REPLY_ARRAY:
        return REDIS_TYPE_ARRAY;
    default:
        return REDIS_TYPE_NIL; /* RESP3's types never come: nobody sends HELLO 3 */
    }
}

int64_t redis_reply_integer(const struct redis_reply *reply)
{
    if (redis_reply_type(reply) == REDIS_TYPE_INTEGER)
        return seen(reply)->integer;
    const char *text = redis_reply_text(reply, NULL);
    char *end = NULL;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    return errno == 0 && end != text && *end == '\0' ? value : 0;
}

const char *redis_reply_text(const struct redis_reply *reply, size_t *out_length)
{
    enum redis_type type = redis_reply_type(reply);
    bool has_text = type == REDIS_TYPE_TEXT || type == REDIS_TYPE_ERROR;
    if (out_length != NULL)
        *out_length = has_text ? seen(reply)->len : 0;
    return has_text ? seen(reply)->str : "";
}

size_t redis_reply_length(const struct redis_reply *reply)
{
    return redis_reply_type(reply) == REDIS_TYPE_ARRAY ? seen(reply)->elements : 0;
}

const struct redis_reply *redis_reply_item(const struct redis_reply *reply, size_t index)
{
    assert(index < redis_reply_length(reply));
    return (const struct redis_reply *)seen(reply)->element[index];
}

/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * `tail`: a line for each thing that happens to a signal, for as long as somebody reads them.
 */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "lib/base/clock.h"

#include "service/command/blocking_request.h"
#include "service/command/command.h"
#include "service/command/printing.h"
#include "service/command/question.h"
#include "service/inbound/tail_ring.h"

enum {
    REST_MS = 1000, /* where a service lets nobody wait */
    FRAME_BYTES_MAX = 256,
};

/* The longest page is no more than a command takes. */
_Static_assert(TAIL_READ_MAX *(TAIL_ENTRY_BYTES_MAX + 1) + FRAME_BYTES_MAX <=
                   BLOCKING_ANSWER_BYTES_MAX,
               "a page of tail does not fit");

static bool append_parameter(struct buffer *path, const char *name, const char *value,
                             struct error *error)
{
    return value == NULL || (buffer_append_format(path, error, "&%s=", name) &&
                             question_append_escaped(path, value, error));
}

static bool write_path(struct buffer *path, const struct command_arguments *arguments,
                       const char *cursor, struct error *error)
{
    return buffer_append_text(path, "/v1/tail?wait=20s", error) &&
           append_parameter(path, "id", arguments->id, error) &&
           append_parameter(path, "event", arguments->event, error) &&
           append_parameter(path, "class", arguments->class, error) &&
           append_parameter(path, "cursor", cursor, error);
}

static const char *text_of(const struct json_value *entry, const char *name)
{
    struct json_text text = {"", 0};
    (void)json_member_text(entry, name, &text);
    return text.bytes;
}

/* The rest is for who asks for JSON. */
static void print_entry(const struct json_value *entry)
{
    static const char *const shown[] = {"time", "event", "application", "class", "code", "detail"};
    struct buffer line;
    buffer_init(&line, QUESTION_PATH_BYTES_MAX);
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
        const char *text = text_of(entry, shown[i]);
        if (text[0] != '\0')
            (void)!buffer_append_texts(&line, NULL, i > 0 ? " " : "", text, NULL);
    }
    print_format(stdout, "%s", line.bytes);
    buffer_fini(&line);
}

static void print_missed(const struct json_value *answer)
{
    int64_t missed = 0;
    if (!json_member_integer(answer, "missed", &missed))
        print_format(stderr,
                     "an unknown number of lines was missed, because the service was restarted");
    else if (missed > 0)
        print_format(stderr,
                     "%" PRId64 " lines were missed, because more happened than the service keeps",
                     missed);
}

/* How many there were. */
static size_t print_answer(const struct json_value *answer, bool is_json)
{
    const struct json_value *entries = json_member(answer, "entries");
    size_t count = json_array_length(entries);
    print_missed(answer);
    for (size_t i = 0; i < count; i++) {
        if (is_json)
            print_json(json_array_item(entries, i));
        else
            print_entry(json_array_item(entries, i));
    }
    return count;
}

static void rest(void)
{
    const struct timespec pause = {.tv_sec = REST_MS / 1000};
    (void)nanosleep(&pause, NULL);
}

/* False: it cannot go on. */
static bool ask(const struct config *config, const struct command_arguments *arguments,
                struct buffer *cursor)
{
    struct error error;
    struct buffer path;
    buffer_init(&path, QUESTION_PATH_BYTES_MAX);
    int64_t begun_at_ms = clock_monotonic_ms();
    AUTO(json) *answer = NULL;
    if (write_path(&path, arguments, cursor->length > 0 ? cursor->bytes : NULL, &error))
        answer = question_ask_json(config, path.bytes, NULL, &error);
    buffer_fini(&path);
    if (answer == NULL) {
        print_format(stderr, "%s", error.message);
        return false;
    }
    size_t count = print_answer(json_root(answer), arguments->is_json);
    bool is_first = cursor->length == 0;
    buffer_clear(cursor);
    if (count == 0 && !is_first && clock_monotonic_ms() - begun_at_ms < REST_MS)
        rest();
    return buffer_append_text(cursor, text_of(json_root(answer), "cursor"), &error) &&
           print_flush();
}

int command_tail(const struct config *config, const struct command_arguments *arguments)
{
    struct buffer cursor;
    buffer_init(&cursor, QUESTION_PATH_BYTES_MAX);
    while (ask(config, arguments, &cursor))
        continue;
    buffer_fini(&cursor);
    return 1;
}

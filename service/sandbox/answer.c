/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/sandbox/answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/json.h"

const char content_type_json[] = "application/json; charset=utf-8";

enum { FORMATTED_BYTES_MAX = 512 };

void answer_init(struct sandbox_answer *answer)
{
    *answer = (struct sandbox_answer){.content_type = content_type_json};
    buffer_init(&answer->body, ANSWER_BODY_BYTES_MAX);
}

void answer_fini(struct sandbox_answer *answer)
{
    buffer_fini(&answer->body);
}

void answer_begin(struct sandbox_answer *answer, unsigned status, const char *outcome)
{
    answer->status = status;
    answer->content_type = content_type_json;
    buffer_clear(&answer->body);
    (void)snprintf(answer->outcome, sizeof answer->outcome, "%s", outcome);
}

void answer_text(struct sandbox_answer *answer, const char *text)
{
    if (!buffer_append_text(&answer->body, text, NULL))
        answer->is_out_of_memory = true;
}

void answer_format(struct sandbox_answer *answer, const char *format, ...)
{
    char text[FORMATTED_BYTES_MAX];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    answer_text(answer, text);
}

void answer_string(struct sandbox_answer *answer, const char *text, size_t length)
{
    if (!json_append_string(&answer->body, text, length, NULL))
        answer->is_out_of_memory = true;
}

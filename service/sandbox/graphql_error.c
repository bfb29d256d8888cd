/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/sandbox/graphql_error.h"

#include <string.h>

void graphql_error_answer(const struct graphql_error *error, struct sandbox_answer *answer)
{
    answer_begin(answer, error->status == 0 ? 200 : error->status, error->code);
    answer_text(answer, "{\"errors\":[{\"message\":");
    answer_string(answer, error->message, strlen(error->message));
    if (error->path != NULL) {
        answer_text(answer, ",\"locations\":[{\"line\":2,\"column\":3}],\"path\":[");
        answer_string(answer, error->path, strlen(error->path));
        answer_text(answer, "]");
    }
    if (!error->lacks_extensions) {
        answer_text(answer, ",\"extensions\":{\"code\":");
        answer_string(answer, error->code, strlen(error->code));
        answer_text(answer, "}");
    }
    answer_text(answer, "}]");
    if (error->data_key != NULL) {
        answer_text(answer, ",\"data\":{");
        answer_string(answer, error->data_key, strlen(error->data_key));
        answer_text(answer, ":null}");
    }
    answer_text(answer, "}");
}

/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * A question to the service that runs with the same settings.
 *
 * Owns: nothing after the call. Threads: the only one. Blocks: up to a minute.
 */
#pragma once

#include <stdbool.h>

#include "lib/base/buffer.h"
#include "lib/base/json.h"

#include "service/command/blocking_request.h"
#include "service/config/config.h"

enum { QUESTION_PATH_BYTES_MAX = 4096 };

/* GET `path` at a listener, or POST `body` as JSON, or `method` if it is not NULL. Whatever status
 * is answered; the answer's body is the caller's to buffer_fini in any case. */
MUST_CHECK bool question_ask(const struct config *config, const struct listen_address *address,
                             const char *method, const char *path, const char *body,
                             struct blocking_answer *answer, struct error *error);
/* The same at the ops listener, with whatever status a seek-signal there answers. */
MUST_CHECK bool question_ask_probe(const struct config *config, const char *path,
                                   struct blocking_answer *answer, struct error *error);
/* The same at the API; anything but a 2xx is `error`, in the words of the problem document. */
MUST_CHECK bool question_ask_api(const struct config *config, const char *method, const char *path,
                                 const char *body, struct blocking_answer *answer,
                                 struct error *error);
/* The same, for its answer as JSON; {} when that is empty. */
MUST_CHECK struct json *question_ask_json(const struct config *config, const char *path,
                                          const char *body, struct error *error);
/* Appends percent-encoded text. */
MUST_CHECK bool question_append_escaped(struct buffer *path, const char *text, struct error *error);

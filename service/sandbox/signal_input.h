/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The rules for `SendSignalInput`, in two steps as a GraphQL server takes them: first its shape
 * (names and types, checked before anything runs), then what the resolver checks.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>

#include "lib/base/json.h"

enum { REASON_BYTES = 256 };

struct signal_input { /* borrowed from the JSON tree; bytes NULL: absent */
    struct json_text type_code, seek_token, timestamp;
};

/* What is there and a string; never fails. */
void signal_input_read(const struct json_value *input, struct signal_input *out);
/* False and what is wrong, without any value. */
bool signal_input_check_shape(const struct json_value *input, char reason[REASON_BYTES]);
bool signal_input_check_values(const struct signal_input *input, char reason[REASON_BYTES]);

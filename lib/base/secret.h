/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * A credential that may live in a file and be rotated there.
 *
 * Owns:    the value or the file's path, and the newest content read.
 * Threads: any. Blocks: all but the constructors read a small file, at most once a second, only
 * when it changed; until there is a value, each call tries.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buffer.h"
#include "lib/base/error.h"
#include "lib/base/ownership.h"

enum { SECRET_BYTES_MAX = 8192 };

struct secret;

/* ERROR_CONFIG for an empty value, one over SECRET_BYTES_MAX or with a NUL; in a file that counts
 * as not readable. */
MUST_CHECK struct secret *secret_from_value(const char *value, struct error *error);
/* The file is read when it is needed: it may appear later. One trailing newline (LF or CR LF) is
 * not part of the secret. */
MUST_CHECK struct secret *secret_from_file(const char *path, struct error *error);
void secret_destroy(struct secret *secret); /* wipes; accepts NULL */
DEFINE_AUTO(secret);

/* Appends the newest value. When the file cannot be read any more, the last value read is given;
 * when none was read yet: ERROR_CONFIG naming the file. */
MUST_CHECK bool secret_read(struct secret *secret, struct buffer *out, struct error *error);
/* Compares in constant time with each line of what secret_read gives that is not empty: two lines
 * are two keys, both good while their callers change over. False too when there is no value. */
bool secret_has_line(struct secret *secret, const char *candidate);

bool secret_is_file(const struct secret *secret); /* it may change */

struct secret_state {
    uint64_t changes;                 /* how often the value became another one */
    char reason[ERROR_MESSAGE_BYTES]; /* why the last look at the file found none; "": it did */
};

/* Looks at the file when that is due, as secret_read does. */
void secret_state(struct secret *secret, struct secret_state *out);

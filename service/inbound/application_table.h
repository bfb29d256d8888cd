/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * An application as a row of CSV (RFC 4180), for spreadsheets. Never its seek-token: only the
 * fingerprint. A cell that a spreadsheet would take for a formula begins with an apostrophe, and
 * what would end a line is a space: a row is a line.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include "lib/base/buffer.h"

#include "service/store/store.h"

MUST_CHECK bool application_write_titles(struct buffer *out, struct error *error);
MUST_CHECK bool application_write_row(struct buffer *out, const struct application *application,
                                      struct error *error);

/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Content-Type headers (RFC 9110 section 8.3).
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>

/* Whether `header` names `type`, in any case. Parameters are ignored but for a charset, which must
 * be UTF-8. NULL is no type. */
bool media_type_is(const char *header, const char *type);
/* Whether `header` is any type that ends in "+json"; NULL is none. */
bool media_type_is_json(const char *header);
/* Whether it names a charset that is no UTF-8. */
bool media_type_has_other_charset(const char *header);

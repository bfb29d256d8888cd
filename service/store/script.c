/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/store/script.h"

#include "embedded/script_accept.h"
#include "embedded/script_application.h"
#include "embedded/script_census.h"
#include "embedded/script_claim.h"
#include "embedded/script_draft.h"
#include "embedded/script_forget.h"
#include "embedded/script_read.h"
#include "embedded/script_replay.h"
#include "embedded/script_settle.h"

/* clang-format off */
static const struct {
    const char *name;
    const char *text;
} scripts[SCRIPT_COUNT] = {
    [SCRIPT_ACCEPT] = {"accept", script_accept},
    [SCRIPT_CENSUS] = {"census", script_census},
    [SCRIPT_CLAIM]  = {"claim",  script_claim},
    [SCRIPT_DRAFT]  = {"draft",  script_draft},
    [SCRIPT_FORGET] = {"forget", script_forget},
    [SCRIPT_READ]   = {"read",   script_read},
    [SCRIPT_REPLAY] = {"replay", script_replay},
    [SCRIPT_SETTLE] = {"settle", script_settle},
};
/* clang-format on */

const char *script_name(enum script script)
{
    return scripts[script].name;
}

bool script_write(enum script script, struct buffer *out, struct error *error)
{
    return buffer_append_text(out, script_application, error) &&
           buffer_append_text(out, scripts[script].text, error);
}

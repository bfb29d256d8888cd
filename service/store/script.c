/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/store/script.h"

#include "embedded/script_accept.h"
#include "embedded/script_application.h"
#include "embedded/script_census.h"
#include "embedded/script_claim.h"
#include "embedded/script_draft.h"
#include "embedded/script_drain.h"
#include "embedded/script_forget.h"
#include "embedded/script_list.h"
#include "embedded/script_page.h"
#include "embedded/script_pause.h"
#include "embedded/script_read.h"
#include "embedded/script_replay.h"
#include "embedded/script_replay_dead.h"
#include "embedded/script_settle.h"

/* clang-format off */
static const struct {
    const char *name;
    const char *text;
    const char *common; /* on top of application.lua; NULL: nothing */
    bool is_acknowledged;
} scripts[SCRIPT_COUNT] = {
    [SCRIPT_ACCEPT]      = {"accept",      script_accept,      NULL,        true},
    [SCRIPT_CENSUS]      = {"census",      script_census,      NULL,        false},
    [SCRIPT_CLAIM]       = {"claim",       script_claim,       NULL,        false},
    [SCRIPT_DRAFT]       = {"draft",       script_draft,       NULL,        true},
    [SCRIPT_DRAIN]       = {"drain",       script_drain,       NULL,        true},
    [SCRIPT_FORGET]      = {"forget",      script_forget,      NULL,        true},
    [SCRIPT_LIST]        = {"list",        script_list,        script_page, false},
    [SCRIPT_PAUSE]       = {"pause",       script_pause,       NULL,        true},
    [SCRIPT_READ]        = {"read",        script_read,        NULL,        false},
    [SCRIPT_REPLAY]      = {"replay",      script_replay,      NULL,        true},
    [SCRIPT_REPLAY_DEAD] = {"replay_dead", script_replay_dead, script_page, true},
    [SCRIPT_SETTLE]      = {"settle",      script_settle,      NULL,        false},
};
/* clang-format on */

const char *script_name(enum script script)
{
    return scripts[script].name;
}

bool script_is_acknowledged(enum script script)
{
    return scripts[script].is_acknowledged;
}

bool script_write(enum script script, struct buffer *out, struct error *error)
{
    const char *common = scripts[script].common;
    return buffer_append_text(out, script_application, error) &&
           (common == NULL || buffer_append_text(out, common, error)) &&
           buffer_append_text(out, scripts[script].text, error);
}

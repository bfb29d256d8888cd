/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/store/script.h"

#include "embedded/script_accept.h"
#include "embedded/script_accept_plain.h"
#include "embedded/script_application.h"
#include "embedded/script_base.h"
#include "embedded/script_census.h"
#include "embedded/script_claim.h"
#include "embedded/script_draft.h"
#include "embedded/script_drain.h"
#include "embedded/script_forget.h"
#include "embedded/script_forget_dead.h"
#include "embedded/script_history.h"
#include "embedded/script_layout.h"
#include "embedded/script_lease.h"
#include "embedded/script_list.h"
#include "embedded/script_move_in.h"
#include "embedded/script_move_out.h"
#include "embedded/script_notify.h"
#include "embedded/script_page.h"
#include "embedded/script_pause.h"
#include "embedded/script_read.h"
#include "embedded/script_replay.h"
#include "embedded/script_replay_dead.h"
#include "embedded/script_settle.h"
#include "embedded/script_settle_plain.h"
#include "embedded/script_trial.h"
#include "embedded/script_whole.h"

#include <assert.h>

/* clang-format off */
static const struct {
    const char *name;
    const char *text;
    const char *common[2]; /* on top of base.lua and application.lua */
    bool is_acknowledged;
    const char *plain; /* between the two: ends most calls; NULL: none */
} scripts[SCRIPT_COUNT_ALL] = {
    [SCRIPT_ACCEPT]      = {"accept",      script_accept,      {script_lease}, true, script_accept_plain},
    [SCRIPT_CENSUS]      = {"census",      script_census,      {NULL}, false, NULL},
    [SCRIPT_CLAIM]       = {"claim",       script_claim,       {script_lease}, false, NULL},
    [SCRIPT_DRAFT]       = {"draft",       script_draft,       {NULL}, true, NULL},
    [SCRIPT_DRAIN]       = {"drain",       script_drain,       {NULL}, true, NULL},
    [SCRIPT_FORGET]      = {"forget",      script_forget,      {script_whole}, true, NULL},
    [SCRIPT_FORGET_DEAD] = {"forget_dead", script_forget_dead, {script_whole, script_page}, true, NULL},
    [SCRIPT_HISTORY]     = {"history",     script_history,     {NULL}, false, NULL},
    [SCRIPT_LIST]        = {"list",        script_list,        {script_whole, script_page}, false, NULL},
    [SCRIPT_MOVE_IN]     = {"move_in",     script_move_in,     {NULL}, true, NULL},
    [SCRIPT_MOVE_OUT]    = {"move_out",    script_move_out,    {NULL}, true, NULL},
    [SCRIPT_NOTIFY]      = {"notify",      script_notify,      {script_whole, script_page}, false, NULL},
    [SCRIPT_PAUSE]       = {"pause",       script_pause,       {NULL}, true, NULL},
    [SCRIPT_READ]        = {"read",        script_read,        {script_whole}, false, NULL},
    [SCRIPT_REPLAY]      = {"replay",      script_replay,      {script_whole}, true, NULL},
    [SCRIPT_REPLAY_DEAD] = {"replay_dead", script_replay_dead, {script_whole, script_page}, true, NULL},
    [SCRIPT_SETTLE]      = {"settle",      script_settle,      {NULL}, false, script_settle_plain},
    [SCRIPT_LAYOUT]      = {"layout",      script_layout,      {NULL}, false, NULL},
    [SCRIPT_TRIAL]       = {"trial",       script_trial,       {NULL}, false, NULL},
};
/* clang-format on */

const char *script_name(enum script script)
{
    assert((unsigned)script < SCRIPT_COUNT_ALL);
    return scripts[script].name;
}

bool script_is_acknowledged(enum script script)
{
    assert((unsigned)script < SCRIPT_COUNT_ALL);
    return scripts[script].is_acknowledged;
}

static bool write_common(enum script script, struct buffer *out, struct error *error)
{
    const char *plain = scripts[script].plain;
    return buffer_append_text(out, script_base, error) &&
           (plain == NULL || buffer_append_text(out, plain, error)) &&
           buffer_append_text(out, script_application, error);
}

bool script_write(enum script script, struct buffer *out, struct error *error)
{
    assert((unsigned)script < SCRIPT_COUNT_ALL);
    /* What a user of Redis may not do would end the trial where the common part does it. */
    if (script != SCRIPT_TRIAL && !write_common(script, out, error))
        return false;
    for (size_t i = 0; i < 2 && scripts[script].common[i] != NULL; i++) {
        if (!buffer_append_text(out, scripts[script].common[i], error))
            return false;
    }
    return buffer_append_text(out, scripts[script].text, error);
}

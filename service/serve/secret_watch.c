/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/serve/secret_watch.h"

#include <assert.h>

#include "lib/base/log.h"

#include "service/config/settings.h"

enum { LOOK_MS = 1000 };

static void look(struct secret *secret, const char *name, struct secret_told *told)
{
    struct secret_state state;
    secret_state(secret, &state);
    const struct log_field setting = LOG_TEXT("setting", name);
    bool is_unreadable = state.reason[0] != '\0';
    if (is_unreadable && !told->is_unreadable)
        log_error("secret_unreadable", state.reason, setting);
    else if (!is_unreadable && told->is_unreadable)
        log_info("secret_readable", "The file of the secret can be read again", setting);
    if (state.changes != told->changes)
        log_info("secret_rotated",
                 "The file of the secret holds another value, which is used from now on", setting);
    *told = (struct secret_told){.changes = state.changes, .is_unreadable = is_unreadable};
}

int64_t secret_watch_timeout_ms(const struct secret_watch *watch)
{
    for (size_t i = 0; i < setting_count; i++) {
        const char *field = (const char *)watch->config + settings[i].offset;
        if (settings[i].type == SETTING_SECRET && *(struct secret *const *)field != NULL &&
            secret_is_file(*(struct secret *const *)field))
            return LOOK_MS;
    }
    return -1;
}

void secret_watch_turn(struct secret_watch *watch)
{
    struct secret_told *told = watch->told;
    for (size_t i = 0; i < setting_count; i++) {
        if (settings[i].type != SETTING_SECRET)
            continue;
        const char *field = (const char *)watch->config + settings[i].offset;
        struct secret *secret = *(struct secret *const *)field;
        assert(told < watch->told + SECRET_WATCH_MAX);
        if (secret != NULL)
            look(secret, settings[i].name, told);
        told++;
    }
}

/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/manual.h"

#include "service/config/config.h"
#include "service/config/settings.h"

static const char *default_of(const struct setting *setting)
{
    if (setting->is_required)
        return "required";
    return setting->default_value != NULL ? setting->default_value : "-";
}

void config_print_help(FILE *stream, bool is_all)
{
    for (size_t i = 0; i < setting_count; i++) {
        if (!settings[i].is_basic && !is_all)
            continue;
        (void)fprintf(stream, "  %-*s %-*s %s\n", is_all ? 37 : 14, settings[i].name,
                      is_all ? 30 : 20, default_of(&settings[i]), settings[i].help);
    }
}

void config_print_markdown(FILE *stream)
{
    for (size_t i = 0; i < setting_count; i++) {
        const struct setting *setting = &settings[i];
        (void)fprintf(stream, "| `%s%s` | %s%s%s | ", setting->name,
                      setting->type == SETTING_SECRET ? "`, `…_FILE" : "",
                      setting->default_value != NULL ? "`" : "", default_of(setting),
                      setting->default_value != NULL ? "`" : "");
        if (setting->type == SETTING_NUMBER)
            (void)fprintf(stream, "%u to %u", setting->min, setting->max);
        (void)fprintf(stream, " | %s |\n", setting->help);
    }
}

void config_print_manual(FILE *stream)
{
    for (size_t i = 0; i < setting_count; i++) {
        const struct setting *setting = &settings[i];
        char name[128], value[128] = "";
        (void)snprintf(name, sizeof name, "%s%s", setting_prefix(setting), setting->name);
        if (setting->is_required)
            (void)snprintf(value, sizeof value, "(required)");
        else if (setting->type == SETTING_NUMBER)
            (void)snprintf(value, sizeof value, "(%s; %u to %u)", setting->default_value,
                           setting->min, setting->max);
        else if (setting->default_value != NULL)
            (void)snprintf(value, sizeof value, "(%s)", setting->default_value);
        manual_entry(stream, name, value, setting->help);
    }
}

/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "service/config.h"
#include "service/settings.h"

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
    (void)fputs("| setting | default | range | meaning |\n| --- | --- | --- | --- |\n", stream);
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

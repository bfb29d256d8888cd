/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Each setting has one written value: the flag's, else the environment's, else the default.
 */
#include <string.h>

#include "service/config/config_reading.h"
#include "service/config/setting_guess.h"

enum { FILE_SUFFIX_LENGTH = sizeof "_FILE" - 1 };

static const struct setting *setting_by_flag(const char *flag, size_t length, bool *out_is_file)
{
    for (size_t i = 0; i < setting_count; i++) {
        char name[SETTING_FLAG_BYTES];
        setting_flag(&settings[i], name);
        size_t name_length = strlen(name);
        if (length < name_length || strncmp(flag, name, name_length) != 0)
            continue;
        *out_is_file = settings[i].type == SETTING_SECRET &&
                       length == name_length + FILE_SUFFIX_LENGTH &&
                       strncmp(flag + name_length, "-file", FILE_SUFFIX_LENGTH) == 0;
        if (length == name_length || *out_is_file)
            return &settings[i];
    }
    return NULL;
}

/* The nearer source replaces both forms: a flag's file wins over the environment's value. */
static void write_down(struct reading *reading, const struct setting *setting, bool is_file,
                       const char *value)
{
    if (*value != '\0')
        reading->written[setting - settings] =
            (struct written){.value = is_file ? NULL : value, .file = is_file ? value : NULL};
}

static const struct setting *setting_by_variable(const char *name, size_t length, bool is_standard,
                                                 bool *out_is_file)
{
    for (size_t i = 0; i < setting_count; i++) {
        size_t name_length = strlen(settings[i].name);
        if (setting_is_standard(&settings[i]) != is_standard || length < name_length ||
            strncmp(name, settings[i].name, name_length) != 0)
            continue;
        *out_is_file = settings[i].type == SETTING_SECRET &&
                       length == name_length + FILE_SUFFIX_LENGTH &&
                       strncmp(name + name_length, "_FILE", FILE_SUFFIX_LENGTH) == 0;
        if (length == name_length || *out_is_file)
            return &settings[i];
    }
    return NULL;
}

/* OTEL_EXPORTER_OTLP_TRACES_TIMEOUT is OTEL_EXPORTER_OTLP_TIMEOUT for traces alone, which are all
 * that there is. */
static const struct setting *standard_by_variable(const char *name, size_t length,
                                                  bool *out_is_file, bool *out_is_for_traces_only)
{
    static const char general[] = "OTEL_EXPORTER_OTLP_", traces[] = "OTEL_EXPORTER_OTLP_TRACES_";
    const struct setting *setting = setting_by_variable(name, length, true, out_is_file);
    *out_is_for_traces_only = false;
    char other[SETTING_FLAG_BYTES];
    size_t rest_length = length - (sizeof traces - 1);
    if (setting != NULL || length < sizeof traces ||
        strncmp(name, traces, sizeof traces - 1) != 0 ||
        rest_length + sizeof general > sizeof other)
        return setting;
    memcpy(other, general, sizeof general - 1);
    memcpy(other + sizeof general - 1, name + sizeof traces - 1, rest_length);
    *out_is_for_traces_only = true;
    return setting_by_variable(other, sizeof general - 1 + rest_length, true, out_is_file);
}

/* Kubernetes puts NAME_SERVICE_HOST, NAME_PORT and the like for each Service into every container,
 * and a Service may well be called seek-signal. */
static bool is_service_link(const char *name)
{
    return strncmp(name, "SERVICE_", 8) == 0 || strncmp(name, "PORT", 4) == 0 ||
           strstr(name, "_SERVICE_") != NULL || strstr(name, "_PORT") != NULL;
}

static void note_both(struct reading *reading, const struct setting *setting)
{
    bool is_standard = setting_is_standard(setting);
    config_note(is_standard ? &reading->config->warnings : reading->problems,
                "%s%s and %s%s_FILE are both set: keep one", setting_prefix(setting), setting->name,
                setting_prefix(setting), setting->name);
}

static void note_unknown(struct buffer *list, const char *name, size_t length)
{
    char meant[SETTING_FLAG_BYTES];
    if (!setting_guess(name, length, false, meant))
        config_note(list, SETTING_PREFIX "%.*s is not a setting: see `seek-signal --help all`",
                    (int)length, name);
    else
        config_note(list, SETTING_PREFIX "%.*s is not a setting: did you mean %s%s?", (int)length,
                    name, strncmp(meant, "OTEL_", 5) == 0 ? "" : SETTING_PREFIX, meant);
}

static void note_unknown_flag(struct buffer *list, const char *flag, size_t length)
{
    char meant[SETTING_FLAG_BYTES];
    if (!setting_guess(flag, length, true, meant))
        config_note(list, "--%.*s: unknown flag: see `seek-signal --help all`", (int)length, flag);
    else
        config_note(list, "--%.*s: unknown flag: did you mean --%s?", (int)length, flag, meant);
}

static void read_ours(struct reading *reading, const char *name, const char *equals)
{
    bool is_file = false;
    size_t length = (size_t)(equals - name);
    const struct setting *setting = setting_by_variable(name, length, false, &is_file);
    if (setting == NULL) {
        if (!is_service_link(name))
            note_unknown(&reading->config->warnings, name, length);
        return;
    }
    const struct written *written = &reading->written[setting - settings];
    bool has_both = is_file ? written->value != NULL : written->file != NULL;
    if (has_both && equals[1] != '\0')
        note_both(reading, setting);
    write_down(reading, setting, is_file, equals + 1);
}

/* The others are for other programs. */
static void read_standard(struct reading *reading, const char *name, const char *equals)
{
    bool is_file = false, is_for_traces_only = false;
    const struct setting *setting =
        standard_by_variable(name, (size_t)(equals - name), &is_file, &is_for_traces_only);
    if (setting == NULL || equals[1] == '\0')
        return;
    struct written *written = &reading->written[setting - settings];
    if (written->is_for_traces_only && !is_for_traces_only)
        return;
    bool has_both = is_file ? written->value != NULL : written->file != NULL;
    if (has_both && written->is_for_traces_only == is_for_traces_only)
        note_both(reading, setting);
    write_down(reading, setting, is_file, equals + 1);
    written->is_for_traces_only = is_for_traces_only;
}

void setting_source_environment(struct reading *reading, const char *const environment[])
{
    const size_t prefix_length = sizeof SETTING_PREFIX - 1;
    for (size_t i = 0; environment[i] != NULL; i++) {
        const char *entry = environment[i];
        const char *equals = strchr(entry, '=');
        if (equals == NULL)
            continue;
        if (strncmp(entry, SETTING_PREFIX, prefix_length) == 0)
            read_ours(reading, entry + prefix_length, equals);
        else if (strncmp(entry, "OTEL_", 5) == 0)
            read_standard(reading, entry, equals);
    }
}

void setting_source_arguments(struct reading *reading, int count, char *const arguments[])
{
    for (int i = 0; i < count; i++) {
        const char *argument = arguments[i];
        if (strncmp(argument, "--", 2) != 0) {
            config_note(reading->problems, "%s: unexpected argument: see `seek-signal --help`",
                        setting_shown(argument));
            continue;
        }
        const char *flag = argument + 2;
        size_t length = strcspn(flag, "=");
        bool is_file = false;
        const struct setting *setting = setting_by_flag(flag, length, &is_file);
        if (setting == NULL) {
            note_unknown_flag(reading->problems, flag, length);
            /* What follows is its value, and a secret if a secret's flag was meant. */
            i += flag[length] == '\0' && i + 1 < count && strncmp(arguments[i + 1], "--", 2) != 0;
            continue;
        }
        const char *value = flag[length] == '=' ? flag + length + 1 : NULL;
        if (value == NULL && i + 1 < count)
            value = arguments[++i];
        if (value == NULL) {
            config_note(reading->problems, "--%s: a value must follow", flag);
            continue;
        }
        write_down(reading, setting, is_file, value);
    }
}

void setting_source_hide(int count, char *const arguments[])
{
    for (int i = 0; i < count; i++) {
        if (strncmp(arguments[i], "--", 2) != 0)
            continue;
        char *flag = arguments[i] + 2;
        size_t length = strcspn(flag, "=");
        bool is_file = false;
        const struct setting *setting = setting_by_flag(flag, length, &is_file);
        bool has_own_value = flag[length] == '=';
        char *value = has_own_value ? flag + length + 1 : NULL;
        if (!has_own_value && i + 1 < count)
            value = arguments[++i];
        if (setting != NULL && setting->type == SETTING_SECRET && !is_file && value != NULL)
            memset(value, '*', strlen(value));
    }
}

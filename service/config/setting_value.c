/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/ascii.h"
#include "lib/net/this_machine.h"

#include "service/config/config_reading.h"

void *setting_value_field(struct config *config, const struct setting *setting)
{
    return (char *)config + setting->offset;
}

/* Always false: nothing was stored. */
static bool mistaken(struct reading *reading, const struct setting *setting, const char *value,
                     const char *expected)
{
    bool is_standard = setting_is_standard(setting);
    bool has_default = is_standard && setting->default_value != NULL;
    config_note(is_standard ? &reading->config->warnings : reading->problems, "%s%s=%s: %s%s%s",
                setting_prefix(setting), setting->name,
                setting->type == SETTING_SECRET ? "(hidden)" : setting_shown(value), expected,
                has_default ? "; used instead: " : "", has_default ? setting->default_value : "");
    return false;
}

static bool store_text(struct reading *reading, const struct setting *setting, const char *value)
{
    for (const char *c = value; *c != '\0'; c++) {
        if (ascii_is_control(*c)) {
            return mistaken(reading, setting, "…", "contains a control character: remove it");
        }
    }
    char *copy = strdup(value);
    if (copy == NULL)
        config_note(reading->problems, "out of memory");
    *(char **)setting_value_field(reading->config, setting) = copy;
    return true;
}

static bool store_address(struct reading *reading, const struct setting *setting, const char *value)
{
    if (!store_text(reading, setting, value))
        return false;
    struct config *config = reading->config;
    struct listen_address *address = setting->offset == offsetof(struct config, listen)
                                         ? &config->listen_address
                                         : &config->ops_listen_address;
    struct error error;
    return listen_address_parse(value, address, &error) ||
           mistaken(reading, setting, value, error.message);
}

/* URLs are logged, and libcurl would send their credentials as an Authorization of its own. A
 * password that was not encoded may hold a slash, and what is before it is no host then. */
const char *setting_url_mistake(const char *value, struct http_url *url, struct error *error)
{
    bool is_read = http_url_parse(value, url, error);
    if (is_read ? url->has_credentials : strchr(value, '@') != NULL)
        return setting_credentials_remedy;
    return is_read ? NULL : error->message;
}

/* http:// would show access tokens and seek-tokens to the network; to this machine it shows nobody
 * anything, and the sandbox is used so. */
static bool store_url(struct reading *reading, const struct setting *setting, const char *value)
{
    struct http_url url;
    struct error error;
    const char *mistake = setting_url_mistake(value, &url, &error);
    if (mistake == NULL && !url.is_https && !this_machine_is_host(url.host, strlen(url.host)))
        mistake = "expected https://…; http:// is allowed only to 127.0.0.1, localhost and [::1]";
    return mistake == NULL ? store_text(reading, setting, value)
                           : mistaken(reading, setting, value, mistake);
}

static bool store_number(struct reading *reading, const struct setting *setting, const char *value)
{
    char *end = NULL;
    errno = 0;
    unsigned long long number = strtoull(value, &end, 10);
    bool is_number = ascii_is_digit(value[0]) && *end == '\0' && errno == 0;
    if (!is_number || number < setting->min || number > setting->max) {
        char expected[96];
        (void)snprintf(expected, sizeof expected, "expected a whole number from %u to %u",
                       setting->min, setting->max);
        return mistaken(reading, setting, value, expected);
    }
    *(uint32_t *)setting_value_field(reading->config, setting) = (uint32_t)number;
    return true;
}

static bool store_choice(struct reading *reading, const struct setting *setting, const char *value)
{
    char expected[160] = "expected one of";
    for (const struct setting_choice *choice = setting->choices; choice->name != NULL; choice++) {
        /* OpenTelemetry's are read in any case. */
        if ((setting_is_standard(setting) ? strcasecmp : strcmp)(choice->name, value) == 0) {
            *(int *)setting_value_field(reading->config, setting) = choice->value;
            return true;
        }
        size_t length = strlen(expected);
        (void)snprintf(expected + length, sizeof expected - length, " %s", choice->name);
    }
    return mistaken(reading, setting, value, expected);
}

static bool store_durability(struct reading *reading, const struct setting *setting,
                             const char *value)
{
    return durability_parse(value, setting_value_field(reading->config, setting)) ||
           mistaken(reading, setting, value,
                    "expected one of " DURABILITY_NAMES " (N from 1 to 16)");
}

static void store_secret(struct reading *reading, const struct setting *setting,
                         const struct written *written)
{
    struct error error;
    struct secret *secret = written->file != NULL ? secret_from_file(written->file, &error)
                                                  : secret_from_value(written->value, &error);
    if (secret == NULL)
        (void)mistaken(reading, setting, "", error.message);
    *(struct secret **)setting_value_field(reading->config, setting) = secret;
}

static bool store(struct reading *reading, const struct setting *setting, const char *value)
{
    switch (setting->type) {
    case SETTING_TEXT:
    case SETTING_PATH:
        return store_text(reading, setting, value);
    case SETTING_ADDRESS:
        return store_address(reading, setting, value);
    case SETTING_URL:
        return store_url(reading, setting, value);
    case SETTING_NUMBER:
        return store_number(reading, setting, value);
    case SETTING_CHOICE:
        return store_choice(reading, setting, value);
    case SETTING_DURABILITY:
        return store_durability(reading, setting, value);
    case SETTING_SECRET:
        break; /* store_secret: it has two forms */
    }
    return false;
}

void setting_value_store(struct reading *reading, const struct setting *setting)
{
    const struct written *written = &reading->written[setting - settings];
    if (setting->type == SETTING_SECRET) {
        if (written->value != NULL || written->file != NULL)
            store_secret(reading, setting, written);
        return;
    }
    const char *value = written->value != NULL ? written->value : setting->default_value;
    bool is_stored = value == NULL || store(reading, setting, value);
    if (!is_stored && setting_is_standard(setting) && setting->default_value != NULL)
        (void)store(reading, setting, setting->default_value);
}

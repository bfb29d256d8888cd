/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Reading the settings: values first (setting_source.c, setting_value.c), then the rules that
 * concern several. A mistake does not end the reading, so that one run reports all of them.
 */
#include "service/config.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "service/config_reading.h"
#include "service/settings.h"

void config_complain(struct buffer *list, const char *format, ...)
{
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    (void)!buffer_append_format(list, NULL, "%s\n", line);
}

static void require_settings(struct reading *reading)
{
    for (size_t i = 0; i < setting_count; i++) {
        const struct written *written = &reading->written[i];
        if (settings[i].is_required && written->value == NULL && written->file == NULL)
            config_complain(reading->problems,
                            SETTING_PREFIX "%s is missing: set it, or " SETTING_PREFIX
                                           "%s_FILE to a file that holds it",
                            settings[i].name, settings[i].name);
    }
}

static void check_redis_url(struct reading *reading)
{
    if (reading->config->redis_url == NULL)
        return;
    struct buffer text;
    buffer_init(&text, SECRET_BYTES_MAX);
    struct redis_url url;
    struct error error;
    if (!secret_read(reading->config->redis_url, &text, &error) ||
        !redis_url_parse(text.bytes, &url, &error))
        config_complain(reading->problems, SETTING_PREFIX "REDIS_URL: %s", error.message);
    buffer_wipe(&text);
    buffer_fini(&text);
}

/* A name, which usually is a URL; nothing connects there. */
static void check_audience(struct reading *reading)
{
    const char *audience = reading->config->audience;
    if (audience != NULL && strstr(audience, "://") != NULL && strchr(audience, '@') != NULL)
        config_complain(reading->problems, SETTING_PREFIX "AUDIENCE=(hidden): %s",
                        setting_credentials_remedy);
}

enum secret_shape { ONE_LINE, LINES };

/* A file that is not there yet is a mistake at the start; one that vanishes later is lived with. */
static void check_secret(struct reading *reading, const char *name, struct secret *secret,
                         enum secret_shape shape)
{
    if (secret == NULL)
        return;
    struct buffer value;
    buffer_init(&value, SECRET_BYTES_MAX);
    struct error error;
    if (!secret_read(secret, &value, &error))
        config_complain(reading->problems, SETTING_PREFIX "%s_FILE: %s", name, error.message);
    else if (shape == ONE_LINE && strcspn(value.bytes, "\r\n") != value.length)
        config_complain(reading->problems, SETTING_PREFIX "%s: expected one line that is not empty",
                        name);
    else if (strcspn(value.bytes, "\r\n") == 0)
        config_complain(reading->problems, SETTING_PREFIX "%s: the first line is empty", name);
    buffer_wipe(&value);
    buffer_fini(&value);
}

static void check_together(struct reading *reading, enum config_need need)
{
    struct config *config = reading->config;
    check_secret(reading, "API_KEY", config->api_key, LINES);
    if (need != CONFIG_NEED_ALL)
        return;
    require_settings(reading);
    check_redis_url(reading);
    check_audience(reading);
    check_secret(reading, "CLIENT_ID", config->client_id, ONE_LINE);
    check_secret(reading, "CLIENT_SECRET", config->client_secret, ONE_LINE);
    if (config->api_key == NULL && config->listen != NULL &&
        !listen_address_is_local(&config->listen_address))
        config_complain(reading->problems,
                        SETTING_PREFIX
                        "LISTEN=%s: other machines reach it, so " SETTING_PREFIX
                        "API_KEY (or API_KEY_FILE) must be set, or listen on 127.0.0.1",
                        config->listen);
    if (config->spool_dir != NULL &&
        !durability_satisfies((struct durability){.level = DURABILITY_SPOOL}, config->durability))
        config_complain(reading->problems,
                        SETTING_PREFIX "SPOOL_DIR: one disk is less than " SETTING_PREFIX
                                       "DURABILITY=%s demands; leave one of the two out",
                        durability_name(config->durability));
    config_tracing_conclude(reading);
    if (config->retry_base_ms > config->retry_max_ms)
        config_complain(reading->problems,
                        SETTING_PREFIX "RETRY_BASE_MS=%u: must not be more than RETRY_MAX_MS=%u",
                        config->retry_base_ms, config->retry_max_ms);
}

static uint32_t intake_threads_for_this_machine(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    return processors < 4 ? 1 : (uint32_t)(processors / 2);
}

/* Not one of our settings: the service manager's way to say where it listens. */
static const char *find_notify_socket(const char *const environment[])
{
    static const char name[] = "NOTIFY_SOCKET=";
    for (size_t i = 0; environment[i] != NULL; i++) {
        const char *value = environment[i] + sizeof name - 1;
        if (strncmp(environment[i], name, sizeof name - 1) == 0)
            return *value != '\0' ? value : NULL;
    }
    return NULL;
}

struct config *config_read(enum config_need need, int argument_count, char *const arguments[],
                           const char *const environment[], struct buffer *problems)
{
    struct config *config = calloc(1, sizeof *config);
    struct written *written = calloc(setting_count, sizeof *written);
    size_t problems_before = problems->length;
    if (config == NULL || written == NULL) {
        config_complain(problems, "out of memory");
    } else {
        buffer_init(&config->warnings, 16384);
        struct reading reading = {.config = config, .problems = problems, .written = written};
        setting_source_environment(&reading, environment);
        setting_source_arguments(&reading, argument_count, arguments);
        for (size_t i = 0; i < setting_count; i++) {
            if (need == CONFIG_NEED_ALL || !setting_is_standard(&settings[i]))
                setting_value_store(&reading, &settings[i]);
        }
        check_together(&reading, need);
        config->notify_socket = find_notify_socket(environment);
        setting_source_hide(argument_count, arguments);
        if (config->intake_threads == 0)
            config->intake_threads = intake_threads_for_this_machine();
    }
    free(written);
    if (problems->length == problems_before)
        return config;
    config_destroy(config);
    return NULL;
}

void config_destroy(struct config *config)
{
    if (config == NULL)
        return;
    for (size_t i = 0; i < setting_count; i++) {
        void *field = setting_value_field(config, &settings[i]);
        switch (settings[i].type) {
        case SETTING_TEXT:
        case SETTING_PATH:
        case SETTING_ADDRESS:
        case SETTING_URL:
            free(*(char **)field);
            break;
        case SETTING_SECRET:
            secret_destroy(*(struct secret **)field);
            break;
        case SETTING_NUMBER:
        case SETTING_CHOICE:
        case SETTING_DURABILITY:
            break;
        }
    }
    free(config->traces_url);
    buffer_fini(&config->warnings);
    free(config);
}

bool config_client_url(const struct listen_address *address, struct buffer *out,
                       struct error *error)
{
    if (address->is_unix)
        return buffer_append_format(out, error, "unix:%s", address->host);
    const char *host = address->host;
    if (strcmp(host, "0.0.0.0") == 0)
        host = "127.0.0.1"; /* listening on every address includes this one */
    else if (strcmp(host, "::") == 0)
        host = "::1";
    bool is_ipv6 = strchr(host, ':') != NULL;
    return buffer_append_format(out, error, is_ipv6 ? "http://[%s]:%u" : "http://%s:%u", host,
                                (unsigned)address->port);
}

/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Reading the settings: values first (setting_source.c, setting_value.c), then the rules that
 * concern several. A mistake does not end the reading, so that one run reports all of them.
 */
#include "service/config/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/ascii.h"

#include "service/config/config_reading.h"
#include "service/config/settings.h"
#include "service/notification/webhook.h"
#include "service/store/shard.h"

enum { FOUND_BYTES_MAX = 65536 };

static void require_settings(struct reading *reading)
{
    for (size_t i = 0; i < setting_count; i++) {
        const struct written *written = &reading->written[i];
        if (settings[i].is_required && written->value == NULL && written->file == NULL)
            config_note(reading->problems,
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
    if (!secret_read(reading->config->redis_url, &text, &error)) /* only a file cannot be read */
        config_note(reading->problems, SETTING_PREFIX "REDIS_URL_FILE: %s", error.message);
    else if (!redis_url_parse(text.bytes, &url, &error))
        config_note(reading->problems, SETTING_PREFIX "REDIS_URL: %s", error.message);
    buffer_wipe(&text);
    buffer_fini(&text);
}

/* A name, which usually is a URL; nothing connects there. */
static void check_audience(struct reading *reading)
{
    const char *audience = reading->config->audience;
    if (audience != NULL && strstr(audience, "://") != NULL && strchr(audience, '@') != NULL)
        config_note(reading->problems, SETTING_PREFIX "AUDIENCE=(hidden): %s",
                    setting_credentials_remedy);
}

/* A value that was refused is no value that is missing. */
static bool is_refused(const struct reading *reading, const char *name)
{
    const struct buffer *problems = reading->problems;
    char beginning[64];
    int length = snprintf(beginning, sizeof beginning, SETTING_PREFIX "%s=", name);
    return problems->length > 0 &&
           memmem(problems->bytes, problems->length, beginning, (size_t)length) != NULL;
}

/* What may be called by others asks who calls: by a key or by a certificate. */
static void check_callers(struct reading *reading)
{
    const struct config *config = reading->config;
    bool has_callers = config->api_key != NULL || config->tls_client_ca_file != NULL;
    if (!has_callers && config->listen != NULL && !is_refused(reading, "LISTEN") &&
        !listen_address_is_local(&config->listen_address))
        config_note(reading->problems,
                    SETTING_PREFIX "LISTEN=%s: other machines reach it, so " SETTING_PREFIX
                                   "API_KEY (or API_KEY_FILE) must be set, or listen on 127.0.0.1",
                    config->listen);
    if (!has_callers && config->api_read_key != NULL)
        config_note(
            reading->problems, SETTING_PREFIX
            "API_READ_KEY: without an API key every caller may do everything, so " SETTING_PREFIX
            "API_KEY (or API_KEY_FILE) must be set too");
}

static void check_tls(struct reading *reading)
{
    const struct config *config = reading->config;
    if ((config->tls_cert_file == NULL) != (config->tls_key_file == NULL))
        config_note(reading->problems,
                    SETTING_PREFIX "TLS_CERT_FILE and " SETTING_PREFIX
                                   "TLS_KEY_FILE belong together: set both, or neither");
    else if (config->tls_client_ca_file != NULL && config->tls_cert_file == NULL)
        config_note(reading->problems, SETTING_PREFIX
                    "TLS_CLIENT_CA_FILE: client certificates need TLS: set " SETTING_PREFIX
                    "TLS_CERT_FILE and " SETTING_PREFIX "TLS_KEY_FILE");
}

static void check_file(struct reading *reading, const char *name, const char *path)
{
    if (config_is_no_file(path))
        config_note(reading->problems, SETTING_PREFIX "%s=%s: not a regular file", name, path);
}

/* Who may write to a socket's directory can put a socket of his own in its place, and is given
 * events. With the sticky bit only its owner can. Only a warning: a directory that containers of
 * one pod share is like that. */
static void check_socket(struct reading *reading, const char *name,
                         const struct listen_address *address)
{
    struct stat status;
    const char *slash = strrchr(address->host, '/');
    if (!address->is_unix || slash == NULL)
        return;
    char directory[sizeof address->host];
    (void)snprintf(directory, sizeof directory, "%.*s", (int)(slash - address->host + 1),
                   address->host);
    if (stat(directory, &status) == 0 && (status.st_mode & (S_IWOTH | S_ISVTX)) == S_IWOTH)
        config_note(&reading->config->warnings,
                    SETTING_PREFIX "%s=unix:%s: everybody may write to its directory, and could "
                                   "replace the socket: chmod o-w %s",
                    name, address->host, directory);
}

static void check_prefix(struct reading *reading)
{
    const char *prefix = reading->config->redis_prefix;
    const char *mistake = prefix != NULL ? shard_prefix_mistake(prefix) : NULL;
    if (mistake != NULL)
        config_note(reading->problems, SETTING_PREFIX "REDIS_PREFIX=%s: %s", prefix, mistake);
}

/* The mark that signals carry in Redis, so that they are never sent to another SEEK. */
static void name_environment(struct reading *reading)
{
    struct config *config = reading->config;
    if (config->graphql_url == NULL || config->audience == NULL)
        return; /* a mistake, which is told */
    if (asprintf(&config->environment, "%s %s", config->graphql_url, config->audience) < 0) {
        config->environment = NULL;
        config_note(reading->problems, "out of memory");
    }
}

/* What data is asked for by, and where: for whoever goes to it himself. */
static void check_redis(struct reading *reading)
{
    const struct config *config = reading->config;
    check_prefix(reading);
    name_environment(reading);
    check_audience(reading);
    check_file(reading, "REDIS_CA_FILE", config->redis_ca_file);
    check_file(reading, "REDIS_CERT_FILE", config->redis_cert_file);
    check_file(reading, "REDIS_KEY_FILE", config->redis_key_file);
    if ((config->redis_cert_file == NULL) != (config->redis_key_file == NULL))
        config_note(reading->problems,
                    SETTING_PREFIX "REDIS_CERT_FILE and " SETTING_PREFIX
                                   "REDIS_KEY_FILE belong together: set both, or neither");
}

static bool is_every_ipv4(const char *host)
{
    return strcmp(host, "0.0.0.0") == 0;
}

/* Whether the second listener would find the port taken by the first. */
static bool are_one_place(const struct listen_address *a, const struct listen_address *b)
{
    if (a->is_unix || b->is_unix)
        return a->is_unix && b->is_unix && strcmp(a->host, b->host) == 0;
    if (a->port != b->port || a->port == 0)
        return false;
    bool is_ipv4_each = ascii_is_digit(a->host[0]) && ascii_is_digit(b->host[0]) &&
                        strchr(a->host, ':') == NULL && strchr(b->host, ':') == NULL;
    return strcasecmp(a->host, b->host) == 0 || strcmp(a->host, "::") == 0 ||
           strcmp(b->host, "::") == 0 ||
           (is_ipv4_each && (is_every_ipv4(a->host) || is_every_ipv4(b->host)));
}

/* Otherwise the second one's start would say that another process has it. */
static void check_listeners(struct reading *reading)
{
    const struct config *config = reading->config;
    const struct listen_address *api = &config->listen_address, *ops = &config->ops_listen_address;
    bool is_one = config->listen != NULL && config->ops_listen != NULL && are_one_place(api, ops);
    if (is_one && !is_refused(reading, "LISTEN") && !is_refused(reading, "OPS_LISTEN"))
        config_note(reading->problems,
                    SETTING_PREFIX "OPS_LISTEN=%s: it is the address of " SETTING_PREFIX
                                   "LISTEN, which has the probes and metrics too: choose another "
                                   "port or path",
                    config->ops_listen);
}

static bool is_same_directory(const char *a, const char *b)
{
    struct stat first, second;
    return strcmp(a, b) == 0 || (stat(a, &first) == 0 && stat(b, &second) == 0 &&
                                 first.st_dev == second.st_dev && first.st_ino == second.st_ino);
}

/* The private Redis locks its own first, and the spool would name another process for it. */
static void check_directories(struct reading *reading)
{
    const struct config *config = reading->config;
    if (config->redis_url == NULL && config->spool_dir != NULL && config->data_dir != NULL &&
        is_same_directory(config->spool_dir, config->data_dir))
        config_note(reading->problems,
                    SETTING_PREFIX "SPOOL_DIR=%s: it is " SETTING_PREFIX
                                   "DATA_DIR, which belongs to the private Redis alone: choose "
                                   "another directory",
                    config->spool_dir);
}

static void check_files(struct reading *reading)
{
    const struct config *config = reading->config;
    check_file(reading, "CA_FILE", config->ca_file);
    check_socket(reading, "LISTEN", &config->listen_address);
    check_socket(reading, "OPS_LISTEN", &config->ops_listen_address);
}

static void check_log(struct reading *reading)
{
    if (reading->config->is_upstream_logged)
        config_note(&reading->config->warnings,
                    SETTING_PREFIX "LOG_UPSTREAM=full: every seek-token is written to the log; "
                                   "leave it off outside development");
}

/* Who is told of trouble has to know who tells. */
static void check_notifications(struct reading *reading)
{
    const struct config *config = reading->config;
    struct error error;
    if (is_refused(reading, "NOTIFY_URL"))
        return;
    if ((config->notify_url == NULL) != (config->notify_secret == NULL))
        config_note(reading->problems,
                    SETTING_PREFIX "NOTIFY_URL and " SETTING_PREFIX
                                   "NOTIFY_SECRET (or NOTIFY_SECRET_FILE) belong together: set "
                                   "both, or neither");
    else if (config->notify_secret != NULL && !webhook_check_secret(config->notify_secret, &error))
        config_note(reading->problems, SETTING_PREFIX "NOTIFY_SECRET: %s", error.message);
    else
        config_secret_check(reading, "NOTIFY_SECRET", config->notify_secret, SECRET_LINES);
}

static void check_together(struct reading *reading, enum config_need need,
                           const char *const environment[])
{
    struct config *config = reading->config;
    config_secret_check(reading, "API_KEY", config->api_key, SECRET_LINES);
    config_secret_check(reading, "API_READ_KEY", config->api_read_key, SECRET_LINES);
    check_tls(reading);
    if (need != CONFIG_NEED_ADDRESS)
        check_redis(reading);
    if (need != CONFIG_NEED_ALL)
        return;
    require_settings(reading);
    config_secret_check_keys(reading, "API_KEY", config->api_key);
    config_secret_check_keys(reading, "API_READ_KEY", config->api_read_key);
    check_files(reading);
    check_redis_url(reading);
    config_secret_check(reading, "CLIENT_ID", config->client_id, SECRET_ONE_LINE);
    config_secret_check(reading, "CLIENT_SECRET", config->client_secret, SECRET_ONE_LINE);
    check_callers(reading);
    check_listeners(reading);
    check_directories(reading);
    check_log(reading);
    if (config->spool_dir != NULL &&
        !durability_satisfies((struct durability){.level = DURABILITY_SPOOL}, config->durability))
        config_note(reading->problems,
                    SETTING_PREFIX "SPOOL_DIR: one disk is less than " SETTING_PREFIX
                                   "DURABILITY=%s demands; leave one of the two out",
                    durability_name(config->durability));
    check_notifications(reading);
    config_tracing_finish(reading);
    config_proxy_finish(reading, environment);
    if (config->retry_base_ms > config->retry_max_ms)
        config_note(reading->problems,
                    SETTING_PREFIX "RETRY_BASE_MS=%u: must not be more than RETRY_MAX_MS=%u",
                    config->retry_base_ms, config->retry_max_ms);
}

static uint32_t intake_threads_for_this_machine(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    return processors < 4 ? 1 : (uint32_t)(processors / 2);
}

const char *config_variable(const char *name, const char *const environment[])
{
    size_t length = strlen(name);
    for (size_t i = 0; environment[i] != NULL; i++) {
        const char *value = environment[i] + length + 1;
        if (strncmp(environment[i], name, length) == 0 && environment[i][length] == '=')
            return *value != '\0' ? value : NULL;
    }
    return NULL;
}

/* How long it bears to hear nothing; 0: it does not care, or about another process. */
static int64_t find_watchdog_ms(const char *const environment[])
{
    const char *microseconds = config_variable("WATCHDOG_USEC", environment);
    const char *pid = config_variable("WATCHDOG_PID", environment);
    if (microseconds == NULL || (pid != NULL && strtoll(pid, NULL, 10) != (long long)getpid()))
        return 0;
    return strtoll(microseconds, NULL, 10) / 1000;
}

static void read_all(struct reading *reading, enum config_need need, int argument_count,
                     char *const arguments[], const char *const environment[])
{
    struct config *config = reading->config;
    setting_source_environment(reading, environment);
    setting_source_arguments(reading, argument_count, arguments);
    for (size_t i = 0; i < setting_count; i++) {
        if (need == CONFIG_NEED_ALL || !setting_is_standard(&settings[i]))
            setting_value_store(reading, &settings[i]);
    }
    check_together(reading, need, environment);
    config->notify_socket = config_variable("NOTIFY_SOCKET", environment);
    config->watchdog_ms = find_watchdog_ms(environment);
    setting_source_hide(argument_count, arguments);
    if (config->intake_threads == 0)
        config->intake_threads = intake_threads_for_this_machine();
}

struct config *config_read(enum config_need need, int argument_count, char *const arguments[],
                           const char *const environment[], struct buffer *problems,
                           int *out_log_format)
{
    struct config *config = calloc(1, sizeof *config);
    struct written *written = calloc(setting_count, sizeof *written);
    struct buffer found;
    buffer_init(&found, FOUND_BYTES_MAX);
    bool is_read = config != NULL && written != NULL;
    if (is_read) {
        buffer_init(&config->warnings, 16384);
        config->log_format = CONFIG_LOG_FORMAT_AUTO; /* stays when what is written is a mistake */
        struct reading reading = {.config = config, .problems = &found, .written = written};
        read_all(&reading, need, argument_count, arguments, environment);
    } else {
        config_note(&found, "out of memory");
    }
    free(written);
    if (out_log_format != NULL)
        *out_log_format = config != NULL ? config->log_format : CONFIG_LOG_FORMAT_AUTO;
    if (found.length == 0) {
        buffer_fini(&found);
        return config;
    }
    /* Warnings first: a name that is mistyped is often why another one is missing. */
    if (is_read && config->warnings.length > 0)
        (void)!buffer_append(problems, config->warnings.bytes, config->warnings.length, NULL);
    (void)!buffer_append(problems, found.bytes, found.length, NULL);
    buffer_fini(&found);
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
    free(config->environment);
    free(config->traces_url);
    free(config->graphql_proxy);
    free(config->token_proxy);
    free(config->traces_proxy);
    free(config->notify_proxy);
    buffer_fini(&config->warnings);
    free(config);
}

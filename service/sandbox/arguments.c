/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/sandbox/arguments.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/manual.h"

#include "service/sandbox/ledger.h"

enum argument_type {
    ARGUMENT_FLAG,      /* bool */
    ARGUMENT_BORROWED,  /* const char * */
    ARGUMENT_COPIED,    /* char[BEHAVIOUR_TEXT_BYTES_MAX + 1] */
    ARGUMENT_SIZE,      /* size_t, up to `max` */
    ARGUMENT_SECONDS,   /* int64_t, up to `max` */
    ARGUMENT_SEED,      /* uint64_t */
    ARGUMENT_TRUE_NULL, /* bool */
};

#define AT(member) offsetof(struct arguments, member)
static const struct argument {
    const char *name;
    enum argument_type type;
    size_t offset;
    uint64_t max;
    const char *value; /* for the help */
    const char *help;
} arguments[] = {
    /* clang-format off */
    {"--listen",        ARGUMENT_BORROWED,  AT(listen),                             0, "HOST:PORT", "plain HTTP (127.0.0.1:8790); port 0: any free one"},
    {"--tls-listen",    ARGUMENT_BORROWED,  AT(tls_listen),                         0, "HOST:PORT", "HTTPS as well"},
    {"--h2-listen",     ARGUMENT_BORROWED,  AT(h2_listen),                          0, "HOST:PORT", "SEEK's two endpoints over HTTP/2 with TLS as well"},
    {"--tls-dir",       ARGUMENT_BORROWED,  AT(sandbox.tls_directory),              0, "DIR",       "where its certificates are, or are made"},
    {"--tls-name",      ARGUMENT_BORROWED,  AT(sandbox.tls_name),                   0, "NAME",      "a new certificate is for this name as well"},
    {"--tls-expired",   ARGUMENT_FLAG,      AT(sandbox.is_tls_expired),             0, "",          "use a certificate that has expired"},
    {"--playground",    ARGUMENT_FLAG,      AT(sandbox.behaviour.is_playground),    0, "",          "every access token is a Playground one"},
    {"--client-id",     ARGUMENT_COPIED,    AT(sandbox.behaviour.client_id),        0, "ID",        "the only one accepted (any)"},
    {"--client-secret", ARGUMENT_COPIED,    AT(sandbox.behaviour.client_secret),    0, "SECRET",    "the only one accepted (any)"},
    {"--expires-in",    ARGUMENT_SECONDS,   AT(sandbox.behaviour.expires_in_s),     31536000, "SECONDS", "life of access tokens (1800)"},
    {"--success",       ARGUMENT_TRUE_NULL, AT(sandbox.behaviour.is_success_true),  0, "true|null", "value of sendSignal in a success (true)"},
    {"--script",        ARGUMENT_BORROWED,  AT(sandbox.script_path),                0, "FILE",      "faults to start with, as JSON"},
    {"--seed",          ARGUMENT_SEED,      AT(sandbox.seed),                       UINT64_MAX, "NUMBER", "for faults with a probability and for jitter (0)"},
    {"--ledger-max",    ARGUMENT_SIZE,      AT(sandbox.ledger_calls_max),           LEDGER_CALLS_MAX_MAX, "CALLS", "calls kept (1000000)"},
    {"--quiet",         ARGUMENT_FLAG,      AT(is_quiet),                           0, "",          "no line per call on standard error"},
    {"--help",          ARGUMENT_FLAG,      AT(wants_help),                         0, "",          "this text"},
    {"--version",       ARGUMENT_FLAG,      AT(wants_version),                      0, "",          "the version"},
    /* clang-format on */
};
enum { ARGUMENT_COUNT = sizeof arguments / sizeof arguments[0] };

static bool read_number(const struct argument *argument, const char *text, uint64_t *out,
                        struct error *error)
{
    char *end = NULL;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || number > argument->max)
        return error_set(error, ERROR_CONFIG, "%s: expected a number from 0 to %" PRIu64,
                         argument->name, argument->max);
    *out = number;
    return true;
}

static bool read_value(const struct argument *argument, const char *text, void *slot,
                       struct error *error)
{
    uint64_t number = 0;
    switch (argument->type) {
    case ARGUMENT_FLAG:
        *(bool *)slot = true;
        return true;
    case ARGUMENT_BORROWED:
        *(const char **)slot = text;
        return true;
    case ARGUMENT_COPIED:
        if (strlen(text) > BEHAVIOUR_TEXT_BYTES_MAX)
            return error_set(error, ERROR_CONFIG, "%s: too long", argument->name);
        memcpy(slot, text, strlen(text) + 1);
        return true;
    case ARGUMENT_SIZE:
        if (!read_number(argument, text, &number, error))
            return false;
        *(size_t *)slot = (size_t)number;
        return true;
    case ARGUMENT_SECONDS:
        if (!read_number(argument, text, &number, error))
            return false;
        *(int64_t *)slot = (int64_t)number;
        return true;
    case ARGUMENT_SEED:
        return read_number(argument, text, slot, error);
    case ARGUMENT_TRUE_NULL:
        if (strcmp(text, "true") != 0 && strcmp(text, "null") != 0)
            return error_set(error, ERROR_CONFIG, "%s: expected true or null", argument->name);
        *(bool *)slot = text[0] == 't';
        return true;
    }
    return false;
}

/* Without the value that may follow an equals sign: it may be a secret. */
static int name_length(const char *text)
{
    enum { SHOWN_BYTES_MAX = 60 };
    size_t length = strcspn(text, "=");
    return length < SHOWN_BYTES_MAX ? (int)length : SHOWN_BYTES_MAX;
}

static const struct argument *find_argument(const char *text)
{
    size_t length = strcspn(text, "=");
    for (size_t i = 0; i < ARGUMENT_COUNT; i++)
        if (strlen(arguments[i].name) == length && strncmp(arguments[i].name, text, length) == 0)
            return &arguments[i];
    return NULL;
}

/* `--name value` or `--name=value`; moves on to what was read last. */
static bool find_value(const struct argument *argument, const char *const **next, const char **out,
                       struct error *error)
{
    const char *equals = strchr(**next, '=');
    *out = equals != NULL ? equals + 1 : "";
    if (argument->type == ARGUMENT_FLAG)
        return equals == NULL ||
               error_set(error, ERROR_CONFIG, "%s: it takes no value", argument->name);
    if (equals == NULL)
        *out = *++*next;
    return *out != NULL || error_set(error, ERROR_CONFIG, "%s: it needs a value", argument->name);
}

static bool read_all(const char *const argv[], struct arguments *out, struct error *error)
{
    for (const char *const *next = argv + 1; *next != NULL; next++) {
        const struct argument *argument = find_argument(*next);
        const char *value;
        if (argument == NULL)
            return error_set(error, ERROR_CONFIG, "%.*s: unknown; see --help", name_length(*next),
                             *next);
        if (!find_value(argument, &next, &value, error) ||
            !read_value(argument, value, (char *)out + argument->offset, error))
            return false;
    }
    return true;
}

/* `text` NULL: not wanted. */
static bool read_address(const char *name, const char *text, struct listen_address *out,
                         struct error *error)
{
    return text == NULL || listen_address_parse(text, out, error) || error_wrap(error, "%s", name);
}

static bool read_addresses(struct arguments *out, struct error *error)
{
    struct sandbox_options *sandbox = &out->sandbox;
    sandbox->wants_tls = out->tls_listen != NULL;
    sandbox->wants_h2 = out->h2_listen != NULL;
    if ((sandbox->wants_tls || sandbox->wants_h2) != (sandbox->tls_directory != NULL))
        return error_set(
            error, ERROR_CONFIG,
            "--tls-dir goes with --tls-listen or --h2-listen, and each of these with it");
    return read_address("--listen", out->listen, &sandbox->listen, error) &&
           read_address("--tls-listen", out->tls_listen, &sandbox->tls_listen, error) &&
           read_address("--h2-listen", out->h2_listen, &sandbox->h2_listen, error);
}

bool arguments_parse(const char *const argv[], struct arguments *out, struct error *error)
{
    *out = (struct arguments){
        .listen = "127.0.0.1:8790",
        .sandbox = {.ledger_calls_max = LEDGER_CALLS_MAX_DEFAULT, .behaviour = behaviour_default},
    };
    return read_all(argv, out, error) && read_addresses(out, error);
}

void arguments_print_help(FILE *file)
{
    (void)fputs("usage: seek-sandbox [OPTION]...\n"
                "A stand-in for SEEK: POST /oauth/token, POST /graphql; control under /sandbox/.\n",
                file);
    for (size_t i = 0; i < ARGUMENT_COUNT; i++)
        (void)fprintf(file, "  %-15s %-10s %s\n", arguments[i].name, arguments[i].value,
                      arguments[i].help);
}

void arguments_print_manual(FILE *file, const char *version)
{
    manual_begin(file, "seek-sandbox", version, "stand-in for SEEK");
    manual_section(file, "SYNOPSIS");
    manual_entry(file, "seek-sandbox", "[OPTION]...", "");
    manual_section(file, "DESCRIPTION");
    manual_paragraph(
        file,
        "Answers as SEEK documents it: POST /oauth/token and POST /graphql with sendSignal. It "
        "fails on demand, by calls under /sandbox/, and keeps a ledger of every call. It is "
        "for development and tests: it serves whoever reaches it. When it listens it prints "
        "a line that begins with \"ready\". It ends at SIGTERM.");
    manual_section(file, "OPTIONS");
    for (size_t i = 0; i < ARGUMENT_COUNT; i++)
        manual_entry(file, arguments[i].name, arguments[i].value, arguments[i].help);
    manual_section(file, "EXIT STATUS");
    manual_entry(file, "0", "", "fine");
    manual_entry(file, "1", "", "anything else");
    manual_entry(file, "2", "", "a wrong command line or script");
    manual_section(file, "SEE ALSO");
    manual_paragraph(file, "seek-signal(1), /usr/share/doc/seek-signal/docs/sandbox.md");
}

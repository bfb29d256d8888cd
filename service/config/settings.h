/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The table of settings: the one place that names them. config.c reads by it, --help and
 * docs/settings.md are printed from it.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum setting_type {
    SETTING_TEXT,
    SETTING_PATH,
    SETTING_ADDRESS, /* host:port, [::1]:port, unix:/path */
    SETTING_URL,     /* https://, or http:// to this machine */
    SETTING_NUMBER,
    SETTING_CHOICE, /* one of `choices` */
    SETTING_DURABILITY,
    SETTING_SECRET, /* also as NAME_FILE */
};

struct setting_choice {
    const char *name; /* NULL ends the list */
    int value;
};

struct setting {
    const char *name; /* without the prefix: "REDIS_URL" */
    enum setting_type type;
    size_t offset;             /* of the field in struct config */
    const char *default_value; /* NULL: none; the field stays NULL */
    uint32_t min, max;         /* SETTING_NUMBER */
    const struct setting_choice *choices;
    bool is_required;
    bool is_basic; /* shown by --help; the others by `--help all` */
    const char *help;
};

#define SETTING_PREFIX "SEEK_SIGNAL_"

extern const struct setting settings[];
extern const size_t setting_count;

extern const char setting_credentials_remedy[]; /* for a URL that holds some */
/* Itself, or "(hidden)" when it may hold a user and a password. */
const char *setting_shown(const char *value);

/* One of OpenTelemetry's variables: its name has no prefix, and as OpenTelemetry has it a mistake
 * in it is warned of and its default used. */
bool setting_is_standard(const struct setting *setting);
const char *setting_prefix(const struct setting *setting);

enum { SETTING_FLAG_BYTES = 64 };
/* "REDIS_URL" -> "redis-url". */
void setting_flag(const struct setting *setting, char text[SETTING_FLAG_BYTES]);

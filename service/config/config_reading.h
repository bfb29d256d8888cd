/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Inside config: where settings are written (setting_source.c) and how their values are read
 * (setting_value.c).
 *
 * Owns: nothing; written values are borrowed from argv and the environment.
 * Threads: one. Blocks: never.
 */
#pragma once

#include "lib/net/http_url.h"

#include "service/config/config.h"
#include "service/config/settings.h"

struct written { /* at most one of the two */
    const char *value;
    const char *file;        /* the NAME_FILE form */
    bool is_for_traces_only; /* OTEL_EXPORTER_OTLP_TRACES_…, which wins */
};

struct reading {
    struct config *config;
    struct buffer *problems;
    struct written *written; /* one per setting */
};

/* config_tracing.c: fills config->tracing. Its mistakes are warnings: no signal depends on traces.
 */
void config_tracing_finish(struct reading *reading);

/* config_listeners.c: that the two listeners are at two places. */
void config_listeners_finish(struct reading *reading);

/* config_proxy.c: the proxies of the environment that will be used. */
void config_proxy_finish(struct reading *reading, const char *const environment[]);

/* Adds one sentence to a list; a list that is full already says enough. */
void config_note(struct buffer *list, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void setting_source_environment(struct reading *reading, const char *const environment[]);
void setting_source_arguments(struct reading *reading, int count, char *const arguments[]);
/* Overwrites the values of secret flags. */
void setting_source_hide(int count, char *const arguments[]);

/* The field of `setting` gets its written or default value, or a problem is noted. */
void setting_value_store(struct reading *reading, const struct setting *setting);
void *setting_value_field(struct config *config, const struct setting *setting);

/* There is something at the path that is no regular file. libcurl and OpenSSL open such files when
 * they connect, and would wait for a FIFO's writer. One that is missing is theirs to tell: it may
 * come. */
bool config_is_no_file(const char *path);
/* What is wrong with the URL, perhaps in `error`; NULL: nothing, and `url` says what it is. */
const char *setting_url_mistake(const char *value, struct http_url *url, struct error *error);

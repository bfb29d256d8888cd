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

#include "service/config.h"
#include "service/settings.h"

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
void config_tracing_conclude(struct reading *reading);

/* Adds one sentence to a list; a list that is full already says enough. */
void config_complain(struct buffer *list, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void setting_source_environment(struct reading *reading, const char *const environment[]);
void setting_source_arguments(struct reading *reading, int count, char *const arguments[]);
/* Overwrites the values of secret flags. */
void setting_source_hide(int count, char *const arguments[]);

/* The field of `setting` gets its written or default value, or a problem is noted. */
void setting_value_store(struct reading *reading, const struct setting *setting);
void *setting_value_field(struct config *config, const struct setting *setting);

/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "tests/support/spool_stand.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/specification.h"
#include "tests/support/stored_fields.h"

struct redis_server *server;
struct event_loop *loop;
struct spool *spool;
_Atomic unsigned due_calls;
unsigned spool_shards;

static char directory[64];

/* --- a spool and its directory --- */

static bool locate(void *context, struct redis_url *out, struct error *error)
{
    (void)context;
    (void)error;
    redis_server_url(server, out);
    return true;
}

static void note_due(void *context, bool may_be_resumed)
{
    (void)may_be_resumed;
    (void)context;
    atomic_fetch_add(&due_calls, 1);
}

struct spool *try_to_create(uint64_t bytes_max, struct error *error)
{
    return spool_create(&(struct spool_options){.directory = directory,
                                                .bytes_max = bytes_max,
                                                .store = {.locate = locate,
                                                          .shard_count = spool_shards,
                                                          .ttl_ms = 3600000,
                                                          .lease_ms = 30000,
                                                          .age_max_ms = 60000},
                                                .due = note_due},
                        error);
}

void begin_with(uint64_t bytes_max)
{
    struct error error;
    spool = try_to_create(bytes_max, &error);
    if (spool == NULL || !spool_start(spool, &error))
        fail_msg("not begun: %s", error.message);
}

void begin(void)
{
    begin_with(BYTES_MAX);
}

void end(void)
{
    spool_destroy(spool);
    spool = NULL;
}

int spool_stand_start(void **state)
{
    (void)state;
    server = redis_server_start(REDIS_SERVER_UNIX, NULL);
    return 0;
}

int spool_stand_stop(void **state)
{
    (void)state;
    redis_server_stop(server);
    return 0;
}

int spool_stand_make(void **state)
{
    struct error error;
    (void)state;
    (void)redis_server_cli(server, "FLUSHALL");
    (void)snprintf(directory, sizeof directory, "/tmp/spool-test-XXXXXX");
    atomic_store(&due_calls, 0);
    loop = event_loop_create(&error);
    return loop != NULL && mkdtemp(directory) != NULL ? 0 : -1;
}

size_t spool_stand_files(const char *prefix, bool are_deleted)
{
    size_t count = 0;
    DIR *stream = opendir(directory);
    assert_non_null(stream);
    for (const struct dirent *entry; (entry = readdir(stream)) != NULL;) {
        if (entry->d_name[0] == '.' || strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
            continue;
        count++;
        if (are_deleted)
            (void)unlinkat(dirfd(stream), entry->d_name, 0);
    }
    (void)closedir(stream);
    return count;
}

int spool_stand_clear(void **state)
{
    (void)state;
    end();
    event_loop_destroy(loop);
    (void)spool_stand_files("", true);
    (void)rmdir(directory);
    return 0;
}

struct spool_status status(void)
{
    struct spool_status now;
    spool_status(spool, &now);
    return now;
}

bool is_drained(void)
{
    return !spool_is_holding(spool) && status().records == 0;
}

int64_t counted(const char *name, const char *labels)
{
    const struct metric_table table = spool_metrics(spool);
    for (size_t i = 0; i < table.count; i++)
        if (strcmp(table.metrics[i].row->name, name) == 0 &&
            (labels == NULL || strcmp(table.metrics[i].row->labels, labels) == 0))
            return metric_value(&table.metrics[i]);
    fail_msg("no metric %s", name);
    return -1;
}

int64_t drained(const char *result)
{
    return counted("seek_signal_spool_drained_total", result);
}

/* --- orders --- */

void open_order(struct spool_order *order, struct event_loop *woken)
{
    *order = (struct spool_order){.loop = woken};
    buffer_init(&order->records, SPOOL_ORDER_BYTES_MAX);
}

void add_event(struct spool_order *order, const char *id, const char *seek_token)
{
    const struct drain_record record = {.kind = DRAIN_EVENT,
                                        .application_id = id,
                                        .seek_token = seek_token,
                                        .event_id = "event",
                                        .completed_at_ms = 1700000000000,
                                        .stamp_us = spool_stamp(spool)};
    assert_true(spool_record_write(&order->records, &record, NULL));
    order->count++;
}

/* One event in an order of its own; whether it was written. */
bool try_to_write(const char *id, const char *seek_token, struct error *out_error)
{
    struct spool_order order;
    open_order(&order, loop);
    add_event(&order, id, seek_token);
    assert_true(spool_submit(spool, &order));
    EVENTUALLY(spool_is_done(spool, &order));
    *out_error = order.error;
    bool is_written = order.is_written;
    buffer_fini(&order.records);
    return is_written;
}

void must_write(const char *id, const char *seek_token)
{
    struct error error;
    if (!try_to_write(id, seek_token, &error))
        fail_msg("not written: %s", error.message);
}

void must_be(const char *id, const char *state, const char *seek_token)
{
    assert_string_equal(stored_field(server, id, "state"), state);
    assert_string_equal(redis_server_cli(server, "HGET 'seek-signal:{0}:app:%s' token", id),
                        seek_token);
}

/* --- files --- */

size_t read_file(const char *name, char *bytes, size_t size)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    int fd = open(path, O_RDONLY);
    ssize_t length = read(fd, bytes, size);
    assert_true(length > 0);
    (void)close(fd);
    return (size_t)length;
}

void write_file(const char *name, const char *bytes, size_t length)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(fd, bytes, length), length);
    (void)close(fd);
}

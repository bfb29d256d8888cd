/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/inbound/metrics_page.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/heartbeat.h"
#include "lib/base/log.h"
#include "lib/base/metrics.h"
#include "lib/net/tls_server.h"

#include "service/inbound/health.h"
#include "service/inbound/intake_pool.h"
#include "service/inbound/service_view.h"

static int64_t resident_bytes(void)
{
    char line[256] = ""; /* all pages, then those in memory */
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL)
        return 0;
    const char *second = fgets(line, sizeof line, file) != NULL ? strchr(line, ' ') : NULL;
    (void)fclose(file);
    return second != NULL ? strtoll(second, NULL, 10) * sysconf(_SC_PAGESIZE) : 0;
}

/* The descriptor that looks is not counted; 0: unknown. */
static int64_t open_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    if (directory == NULL)
        return 0;
    int64_t count = -1;
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;)
        count += entry->d_name[0] != '.';
    (void)closedir(directory);
    return count;
}

static int64_t descriptors_max(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? (int64_t)limit.rlim_cur : METRIC_UNKNOWN;
}

static int64_t processor_us(void)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return 0;
    return (int64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
           usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

static void look_at_redis(const struct service_view *view, struct intake_pool_status *out)
{
    *out = (struct intake_pool_status){.threads = 0};
    if (view->intake_pool != NULL)
        intake_pool_status(view->intake_pool, out);
}

static bool write_version(struct buffer *out, const char *version, struct error *error)
{
    char labels[80];
    (void)snprintf(labels, sizeof labels, "version=\"%s\"", version);
    const struct metric_row row = METRIC_ROW(
        GAUGE, "seek_signal_build_info", "Always 1; the version is the label.", .labels = labels);
    struct metric metric;
    metrics_init(&metric, &row, 1);
    metric_set(&metric, 1);
    return metrics_write(out, &metric, 1, error);
}

enum {
    READY,
    REDIS_READY,
    REDIS_CLOCK,
    SHARDS,
    SHARDS_READY,
    FALLEN,
    STARTED,
    MEMORY,
    PROCESSOR,
    FDS,
    FDS_MAX,
    LOG_LOST,
    LOG_STUCK,
    COUNT
};

/* clang-format off */
static const struct metric_row rows[COUNT] = {
    [READY]       = METRIC_ROW(GAUGE, "seek_signal_ready", "1 while an event could be accepted durably, as /readyz says."),
    [REDIS_READY] = METRIC_ROW(GAUGE, "seek_signal_redis_ready", "1 while every intake thread is connected to a Redis that is fit."),
    [REDIS_CLOCK] = METRIC_ROW(GAUGE, "seek_signal_redis_clock_ahead_seconds", "Redis's clock minus this machine's, at the last check.", .scale = 1e-3),
    [SHARDS]      = METRIC_ROW(GAUGE, "seek_signal_shards", "Shards that the queue in Redis is spread over."),
    [SHARDS_READY] = METRIC_ROW(GAUGE, "seek_signal_shards_ready", "Shards that events can be written to. If the intake threads differ, the smallest number counts."),
    [FALLEN]      = METRIC_ROW(GAUGE, "seek_signal_durability_fallen", "1 while Redis gives less durability than before in the life of this process."),
    [STARTED]     = METRIC_ROW(GAUGE, "process_start_time_seconds", "Start of the process, in seconds since 1970.", .scale = 1e-3),
    [MEMORY]      = METRIC_ROW(GAUGE, "process_resident_memory_bytes", "Resident memory."),
    [PROCESSOR]   = METRIC_ROW(COUNTER, "process_cpu_seconds_total", "Processor time used, user and system.", .scale = 1e-6),
    [FDS]         = METRIC_ROW(GAUGE, "process_open_fds", "Open file descriptors."),
    [FDS_MAX]     = METRIC_ROW(GAUGE, "process_max_fds", "File descriptors that may be open."),
    [LOG_LOST]    = METRIC_ROW(COUNTER, "seek_signal_log_lines_lost_total", "Log lines that were dropped, or could not be written."),
    [LOG_STUCK]   = METRIC_ROW(GAUGE, "seek_signal_log_stuck_seconds", "Time for which nobody has read the log although lines wait; 0: the log is read.", .scale = 1e-3),
};
/* clang-format on */

/* Nobody counts these: they are looked up. */
static bool write_process(struct buffer *out, const struct service_view *view, struct error *error)
{
    int64_t now_ms = clock_monotonic_ms();
    struct health ready;
    health_look(HEALTH_READY, view, now_ms, &ready);
    struct intake_pool_status redis;
    look_at_redis(view, &redis);
    const int64_t values[COUNT] = {
        [READY] = ready.is_fine,
        [REDIS_READY] = redis.threads > 0 && redis.threads_ready == redis.threads,
        [REDIS_CLOCK] = redis.health.is_clock_known ? redis.health.clock_ahead_ms : METRIC_UNKNOWN,
        [SHARDS] = redis.health.shard_count,
        [SHARDS_READY] = redis.health.shards_ready,
        [FALLEN] = redis.has_durability_fallen,
        [STARTED] = view->started_at_ms,
        [MEMORY] = resident_bytes(),
        [PROCESSOR] = processor_us(),
        [FDS] = open_descriptors(),
        [FDS_MAX] = descriptors_max(),
        [LOG_LOST] = (int64_t)log_lines_lost(),
        [LOG_STUCK] = log_stuck_ms(now_ms),
    };
    struct metric metrics[COUNT];
    metrics_init(metrics, rows, COUNT);
    for (size_t i = 0; i < COUNT; i++)
        metric_set(&metrics[i], values[i]);
    return metrics_write(out, metrics, COUNT, error);
}

enum { TLS_EXPIRY, TLS_UNUSABLE, TLS_COUNT };

/* clang-format off */
static const struct metric_row tls_rows[TLS_COUNT] = {
    [TLS_EXPIRY]   = METRIC_ROW(GAUGE, "seek_signal_tls_certificate_expiry_timestamp_seconds", "End of the API listener's certificate, in seconds since 1970.", .scale = 1e-3),
    [TLS_UNUSABLE] = METRIC_ROW(GAUGE, "seek_signal_tls_files_unusable", "1 while the files of the certificate cannot be used and the one read before stays in use."),
};
/* clang-format on */

static bool write_tls(struct buffer *out, struct tls_server *server, struct error *error)
{
    struct tls_server_status status;
    if (server == NULL)
        return true;
    tls_server_status(server, &status);
    struct metric metrics[TLS_COUNT];
    metrics_init(metrics, tls_rows, TLS_COUNT);
    metric_set(&metrics[TLS_EXPIRY], status.expires_at_ms);
    metric_set(&metrics[TLS_UNUSABLE], status.reason[0] != '\0');
    return metrics_write(out, metrics, TLS_COUNT, error);
}

/* One row per loop; their names are ours and their number is fixed at the start. */
static bool write_loops(struct buffer *out, const struct service_view *view, struct error *error)
{
    const struct heartbeat *loops[HEALTH_LOOPS_MAX];
    char labels[HEALTH_LOOPS_MAX][32];
    struct metric_row loop_rows[HEALTH_LOOPS_MAX];
    struct metric ages[HEALTH_LOOPS_MAX];
    size_t count = health_loops(view, loops);
    int64_t now_ms = clock_monotonic_ms();
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(labels[i], sizeof labels[i], "loop=\"%s\"", loops[i]->name);
        loop_rows[i] = (struct metric_row)METRIC_ROW(
            GAUGE, "seek_signal_loop_age_seconds",
            "Time since the last turn of the loop, without planned rests.", .labels = labels[i],
            .scale = 1e-3);
        metrics_init(&ages[i], &loop_rows[i], 1);
        metric_set(&ages[i], heartbeat_age_ms(loops[i], now_ms));
    }
    return metrics_write(out, ages, count, error);
}

bool metrics_page_write(struct buffer *out, const struct service_view *view, struct error *error)
{
    return write_version(out, view->version, error) && write_process(out, view, error) &&
           write_tls(out, view->tls, error) && write_loops(out, view, error) &&
           (view->metrics == NULL || metric_registry_write(out, view->metrics, error));
}

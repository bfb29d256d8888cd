/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/inbound/metrics_page.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/heartbeat.h"
#include "lib/base/metrics.h"

#include "service/inbound/health.h"
#include "service/inbound/intake_pool.h"
#include "service/inbound/service_view.h"
#include "service/outbound/worker_pool.h"
#include "service/store/spool.h"
#include "service/tracing/tracer.h"

static int64_t resident_bytes(void)
{
    int64_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%*d %" SCNd64, &pages) != 1)
        pages = 0;
    (void)fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
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

static bool is_redis_fit(const struct service_view *view)
{
    struct intake_pool_status status = {.threads = 0};
    if (view->intake_pool != NULL)
        intake_pool_status(view->intake_pool, &status);
    return status.threads > 0 && status.threads_ready == status.threads;
}

static bool write_rows(struct buffer *out, struct metric rows[], size_t count, struct error *error)
{
    for (size_t i = 0; i < count; i++) {
        struct metric *row = &rows[i];
        if (!metrics_write(out, &row, 1, error))
            return false;
    }
    return true;
}

static bool write_process(struct buffer *out, struct error *error)
{
    struct metric rows[] = {
        {.name = "process_resident_memory_bytes",
         .help = "Resident memory.",
         .type = METRIC_GAUGE,
         .value = resident_bytes()},
        {.name = "process_cpu_seconds_total",
         .help = "Processor time used, user and system.",
         .type = METRIC_COUNTER,
         .scale = 1e-6,
         .value = processor_us()},
        {.name = "process_open_fds",
         .help = "Open file descriptors.",
         .type = METRIC_GAUGE,
         .value = open_descriptors()},
        {.name = "process_max_fds",
         .help = "How many file descriptors may be open.",
         .type = METRIC_GAUGE,
         .value = descriptors_max()},
    };
    return write_rows(out, rows, sizeof rows / sizeof rows[0], error);
}

static bool write_service(struct buffer *out, const struct service_view *view, struct error *error)
{
    char version[80];
    (void)snprintf(version, sizeof version, "version=\"%s\"", view->version);
    struct health ready;
    health_look(HEALTH_READY, view, clock_monotonic_ms(), &ready);
    struct metric rows[] = {
        {.name = "seek_signal_build_info",
         .help = "Always 1; the version is the label.",
         .labels = version,
         .type = METRIC_GAUGE,
         .value = 1},
        {.name = "seek_signal_ready",
         .help = "1 while an event could be accepted durably, as /readyz says.",
         .type = METRIC_GAUGE,
         .value = ready.is_fine},
        {.name = "seek_signal_redis_ready",
         .help = "1 while every intake thread is connected to a Redis that is fit.",
         .type = METRIC_GAUGE,
         .value = is_redis_fit(view)},
        {.name = "process_start_time_seconds",
         .help = "When the process started, since 1970.",
         .type = METRIC_GAUGE,
         .scale = 1e-3,
         .value = view->started_at_ms},
    };
    return write_rows(out, rows, sizeof rows / sizeof rows[0], error);
}

/* One row per loop; their names are ours and their number is fixed at the start. */
static bool write_loops(struct buffer *out, const struct service_view *view, struct error *error)
{
    const struct heartbeat *loops[HEALTH_LOOPS_MAX];
    char labels[HEALTH_LOOPS_MAX][32];
    struct metric rows[HEALTH_LOOPS_MAX];
    struct metric *list[HEALTH_LOOPS_MAX];
    size_t count = health_loops(view, loops);
    int64_t now_ms = clock_monotonic_ms();
    for (size_t i = 0; i < count; i++) {
        bool has_turned = atomic_load(&loops[i]->beaten_at_ms) != 0;
        (void)snprintf(labels[i], sizeof labels[i], "loop=\"%s\"", loops[i]->name);
        rows[i] = (struct metric){.name = "seek_signal_loop_age_seconds",
                                  .help = "Since the loop last turned; an idle one turns at least "
                                          "once a second.",
                                  .labels = labels[i],
                                  .type = METRIC_GAUGE,
                                  .scale = 1e-3,
                                  .value = has_turned ? heartbeat_age_ms(loops[i], now_ms) : 0};
        list[i] = &rows[i];
    }
    return metrics_write(out, list, count, error);
}

static bool write_intake(struct buffer *out, struct intake_pool *pool, struct error *error)
{
    size_t count;
    if (pool == NULL)
        return true;
    intake_pool_ask_census(pool);
    struct metric *const *rows = intake_pool_metrics(pool, &count);
    return metrics_write(out, rows, count, error);
}

static bool write_spool(struct buffer *out, const struct spool *spool, struct error *error)
{
    size_t count;
    if (spool == NULL)
        return true;
    struct metric *const *rows = spool_metrics(spool, &count);
    return metrics_write(out, rows, count, error);
}

static bool write_workers(struct buffer *out, const struct worker_pool *pool, struct error *error)
{
    size_t count;
    if (pool == NULL)
        return true;
    struct metric *const *rows = worker_pool_metrics(pool, &count);
    return metrics_write(out, rows, count, error);
}

static bool write_spans(struct buffer *out, const struct tracer *tracer, struct error *error)
{
    size_t count;
    if (tracer == NULL)
        return true;
    struct metric *const *rows = tracer_metrics(tracer, &count);
    return metrics_write(out, rows, count, error);
}

bool metrics_page_write(struct buffer *out, const struct service_view *view, struct error *error)
{
    return write_service(out, view, error) && write_process(out, error) &&
           write_loops(out, view, error) && write_intake(out, view->intake_pool, error) &&
           write_spool(out, view->spool, error) && write_workers(out, view->worker_pool, error) &&
           write_spans(out, view->tracer, error);
}

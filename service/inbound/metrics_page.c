/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/inbound/metrics_page.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/metrics.h"

#include "service/inbound/health.h"
#include "service/inbound/intake_pool.h"
#include "service/inbound/service_view.h"
#include "service/outbound/worker_pool.h"

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

static bool write_process(struct buffer *out, const struct service_view *view, struct error *error)
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
        {.name = "process_resident_memory_bytes",
         .help = "Resident memory.",
         .type = METRIC_GAUGE,
         .value = resident_bytes()},
        {.name = "process_start_time_seconds",
         .help = "When the process started, since 1970.",
         .type = METRIC_GAUGE,
         .scale = 1e-3,
         .value = view->started_at_ms},
    };
    enum { COUNT = sizeof rows / sizeof rows[0] };
    struct metric *list[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        list[i] = &rows[i];
    return metrics_write(out, list, COUNT, error);
}

bool metrics_page_write(struct buffer *out, const struct service_view *view, struct error *error)
{
    struct metric *const *rows;
    size_t count;
    if (!write_process(out, view, error))
        return false;
    if (view->intake_pool != NULL) {
        rows = intake_pool_metrics(view->intake_pool, &count);
        if (!metrics_write(out, rows, count, error))
            return false;
    }
    if (view->worker_pool == NULL)
        return true;
    rows = worker_pool_metrics(view->worker_pool, &count);
    return metrics_write(out, rows, count, error);
}

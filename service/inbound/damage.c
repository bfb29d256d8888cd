/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/inbound/damage.h"

#include "lib/base/log.h"

#include "service/inbound/call.h"
#include "service/inbound/service_view.h"
#include "service/outbound/worker_pool.h"

void damage_tell(const struct call *call, const char *application_id, const char *field)
{
    struct worker_pool *pool = call->context->view->worker_pool;
    if (field[0] == '\0')
        return;
    if (pool != NULL)
        worker_pool_count_damaged(pool);
    log_error("application_damaged",
              "Another program has changed this application in Redis. The replay sends it if its "
              "seek-token is left. Otherwise it stays among the dead",
              LOG_TEXT("application", application_id), LOG_TEXT("field", field),
              CALL_LOG_WHO(call));
}

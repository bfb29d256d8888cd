/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The ceiling of what libmicrohttpd serves: reads each request and answers a constant, from one
 * thread. Prints its port.
 */
#include <microhttpd.h>
#include <stdio.h>
#include <unistd.h>

static const char body[] =
    "{\"applicationId\":\"0000000000000000\",\"eventId\":\"00000000-0000-4000-8000-000000000000\","
    "\"result\":\"accepted\",\"state\":\"pending\",\"durability\":\"fsync\"}";
static struct MHD_Response *response;

static enum MHD_Result take(void *context, struct MHD_Connection *connection, const char *url,
                            const char *method, const char *version, const char *bytes,
                            size_t *length, void **slot)
{
    static char is_seen;
    (void)context, (void)url, (void)method, (void)version, (void)bytes;
    if (*slot == NULL) {
        *slot = &is_seen;
        return MHD_YES;
    }
    if (*length > 0) {
        *length = 0;
        return MHD_YES;
    }
    return MHD_queue_response(connection, MHD_HTTP_ACCEPTED, response);
}

int main(void)
{
    /* libmicrohttpd only reads it. */
    response = MHD_create_response_from_buffer(sizeof body - 1, (void *)(unsigned long)body,
                                               MHD_RESPMEM_PERSISTENT);
    (void)MHD_add_response_header(response, "Content-Type", "application/json");
    struct MHD_Daemon *daemon =
        MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, take, NULL, MHD_OPTION_END);
    if (daemon == NULL)
        return 1;
    printf("%u\n", (unsigned)MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    (void)fflush(stdout);
    for (;;)
        (void)pause();
}

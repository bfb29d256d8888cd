#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# libmicrohttpd hands an absolute request target over whole, as if it were a path.
#
# Seen 2026-11-30: libmicrohttpd 0.9.75 (Debian 12).
# A good guess: the application gets "/events" for `POST http://host/events HTTP/1.1`, as for `POST /events`: RFC 9112
#   §3.2.2 has every server accept this form, and the library parses the request line for its applications.
# What happens: it gets "http://host/events". The query is cut off as it should be, and Host is as it was sent.
# Why it matters: a client that takes the sidecar for its proxy sends this form, and so does curl with --request-target.
#   An application that compares paths answers 404 to it. Cut off what is before the path first.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
debian_packages libmicrohttpd-dev=0.9.75 gcc=4:12 curl=7.88.1

cat >serve.c <<'END'
#include <microhttpd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *data, size_t *size, void **request)
{
    (void)context, (void)method, (void)version, (void)data, (void)size, (void)request;
    char text[200];
    snprintf(text, sizeof text, "%s, x %s", url, MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "x"));
    struct MHD_Response *response = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_COPY);
    enum MHD_Result queued = MHD_queue_response(connection, 200, response);
    MHD_destroy_response(response);
    return queued;
}

int main(void)
{
    struct MHD_Daemon *daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, answer, NULL,
                                                 MHD_OPTION_END);
    if (daemon == NULL)
        return 1;
    printf("%u\n", MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    fflush(stdout);
    sleep(60);
    MHD_stop_daemon(daemon);
    return 0;
}
END
gcc serve.c -lmicrohttpd -o serve
./serve >port 2>>background.log &
started+=("$!")
url=http://127.0.0.1:$(port_file port)
get() { curl -s "$@"; }
seen "a path" "/events, x 1" "$(get --noproxy '*' "$url/events?x=1")"
seen "an absolute target" "http://localhost/events, x 1" "$(get --noproxy '*' --request-target 'http://localhost/events?x=1' "$url")"
seen "taken for a proxy" "http://localhost/events, x 1" "$(get --noproxy '' --proxy "$url" 'http://localhost/events?x=1')"
finish

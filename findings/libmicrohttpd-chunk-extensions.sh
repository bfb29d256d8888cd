#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# libmicrohttpd 1.0.1 refuses a chunked body whose chunks have extensions.
#
# Seen 2026-11-29: libmicrohttpd 0.9.75 (Debian 12) and 1.0.1 (Debian 13), the same program.
# A good guess: a valid chunked request is the same to both; RFC 9112 §7.1.1 has a recipient ignore extensions that it
#   does not know.
# What happens: 0.9.75 ignores them. 1.0.1 answers 400 "HTTP chunked encoding is syntactically incorrect" and closes.
#   Chunks without extensions and trailer fields are fine in both.
# Why it matters: a proxy or client that signs or marks its chunks works until the server behind it moves to Debian 13;
#   then each post is a 400, which clients do not retry. The library decides before the application sees anything:
#   a sidecar on it can only document the limit, and a client should send Content-Length.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
debian_packages libmicrohttpd-dev=0.9.75 gcc=4:12 debootstrap=1
debian_13 libmicrohttpd12t64=1.0.1

cat >serve.c <<'END'
#include <microhttpd.h>
#include <stdio.h>
#include <unistd.h>

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *data, size_t *size, void **request)
{
    (void)context, (void)url, (void)method, (void)version, (void)data;
    static int seen;
    if (*request == NULL || *size > 0) {
        *request = &seen;
        *size = 0;
        return MHD_YES;
    }
    struct MHD_Response *response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    enum MHD_Result queued = MHD_queue_response(connection, 202, response);
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
cp serve trixie/serve
./serve >port12 2>>background.log &
started+=("$!")
chroot trixie /serve >port13 2>>background.log &
started+=("$!")

# post PORT CHUNKS: the first line of the answer. In one write, so that a refusal is not lost over bytes still to come.
post() {
    exec 3<>"/dev/tcp/127.0.0.1/$1"
    printf 'POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n%b' "$2" >request
    cat request >&3
    head -n 1 <&3 | tr -d '\r'
    exec 3>&-
}
old=$(port_file port12) new=$(port_file port13)
ok="HTTP/1.1 202 Accepted"

seen "0.9.75, plain" "$ok" "$(post "$old" '2\r\n{}\r\n0\r\n\r\n')"
seen "1.0.1, plain" "$ok" "$(post "$new" '2\r\n{}\r\n0\r\n\r\n')"
seen "0.9.75, a trailer field" "$ok" "$(post "$old" '2\r\n{}\r\n0\r\nX-Digest: 1\r\n\r\n')"
seen "1.0.1, a trailer field" "$ok" "$(post "$new" '2\r\n{}\r\n0\r\nX-Digest: 1\r\n\r\n')"
seen "0.9.75, an extension" "$ok" "$(post "$old" '2;mark=1\r\n{}\r\n0\r\n\r\n')"
seen "1.0.1, an extension" "HTTP/1.1 400 Bad Request" "$(post "$new" '2;mark=1\r\n{}\r\n0\r\n\r\n')"
finish

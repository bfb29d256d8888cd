#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# libmicrohttpd 0.9.75 keeps blanks behind the value of a header, and refuses a Content-Length that has one.
#
# Seen 2026-11-30: libmicrohttpd 0.9.75 (Debian 12) and 1.0.1 (Debian 13), the same program.
# A good guess: the blanks around a value do not belong to it (RFC 9112 §5.1), so the library takes them off before its
#   application sees the value, and before it reads Content-Length itself.
# What happens: 0.9.75 takes them off in front alone. "X-Key: secret " is "secret ", a tab stays too, and "Content-Length: 2 "
#   gets 400 with a page of HTML before the application is called. 1.0.1 does as the guess says.
# Why it matters: keys, media types and ids that are compared as texts fail for clients that write such a blank, and work
#   after an upgrade of Debian. An application has to trim by itself. About Content-Length it can do nothing.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
debian_packages libmicrohttpd-dev=0.9.75 gcc=4:12 debootstrap=1
debian_13 libmicrohttpd12t64=1.0.1

cat >serve.c <<'END'
#include <microhttpd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Answers with the value of X-Key in brackets. */
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
    char text[100];
    const char *key = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "X-Key");
    snprintf(text, sizeof text, "[%s]\n", key != NULL ? key : "");
    struct MHD_Response *response = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_COPY);
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

# post PORT HEADER: the status and, if the program was called, the value. In one write, so that a refusal is not lost.
post() {
    exec 3<>"/dev/tcp/127.0.0.1/$1"
    local length='Content-Length: 2\r\n'
    [[ $2 == Content-Length* ]] && length=
    printf 'POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%b%b\r\n\r\n{}' "$length" "$2" >request
    cat request >&3
    tr -d '\r' <&3 >answer
    exec 3>&-
    echo "$(head -n 1 answer | cut -d ' ' -f 2)$(tail -n 1 answer | grep '^\[' | sed 's/^/ /; s/\t/TAB/')"
}
old=$(port_file port12) new=$(port_file port13)

seen "0.9.75, a blank behind" "202 [secret ]" "$(post "$old" 'X-Key: secret ')"
seen "1.0.1, a blank behind" "202 [secret]" "$(post "$new" 'X-Key: secret ')"
seen "0.9.75, a tab behind" "202 [secretTAB]" "$(post "$old" 'X-Key: secret\t')"
seen "1.0.1, a tab behind" "202 [secret]" "$(post "$new" 'X-Key: secret\t')"
seen "0.9.75, Content-Length with a blank behind" "400" "$(post "$old" 'Content-Length: 2 ')"
seen "1.0.1, Content-Length with a blank behind" "202 []" "$(post "$new" 'Content-Length: 2 ')"
for port in "$old" "$new"; do
    seen "both, blanks in front" "202 [secret]" "$(post "$port" 'X-Key:   secret')"
done
finish

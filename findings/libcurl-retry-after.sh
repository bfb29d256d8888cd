#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# libcurl's CURLINFO_RETRY_AFTER: negative in one Debian, six hours at most in the next.
#
# Seen 2026-11-29: libcurl 7.88.1 (Debian 12) and 8.14.1 (Debian 13), the same program.
# A good guess: it is what the server said, in seconds, and 0 where there is no useful value, such as a date that has
#   passed; in every version.
# What happens: 7.88 gives a negative number for a date in the past. 8.14 gives 0 there, and makes 21,600 of everything
#   longer, number or date. Both read "1h" as one second.
# Why it matters: the negative number, put into an unsigned variable or a sleep, waits for ever or not at all; and "come
#   back tomorrow" is asked four times a day after an upgrade. Who means to honour Retry-After reads the header
#   itself, with bounds of his own.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
debian_packages libcurl4-openssl-dev=7.88.1 gcc=4:12 debootstrap=1
debian_13 libcurl4t64=8.14.1

cat >server.py <<'END'
import email.utils, http.server, time

class Handler(http.server.BaseHTTPRequestHandler):
    def do_HEAD(self):
        value = self.path[1:]
        if value.startswith("date"):
            value = email.utils.formatdate(time.time() + int(value[4:]), usegmt=True)
        self.send_response(503)
        self.send_header("Retry-After", value)
        self.end_headers()
END
http_server server.py

cat >ask.c <<'END'
#include <curl/curl.h>
#include <stdio.h>

int main(int count, char **urls)
{
    for (int i = 1; i < count; i++) {
        CURL *easy = curl_easy_init();
        curl_off_t seconds = -1;
        curl_easy_setopt(easy, CURLOPT_URL, urls[i]);
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
        curl_easy_perform(easy);
        curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &seconds);
        /* To tens: a date may be a second away from what was meant. */
        printf("%s%ld", i > 1 ? " " : "", seconds > 5 || seconds < -5 ? ((long)seconds + (seconds > 0 ? 5 : -5)) / 10 * 10 : (long)seconds);
        curl_easy_cleanup(easy);
    }
    return 0;
}
END
gcc ask.c -lcurl -o ask
cp ask trixie/ask
urls=()
for value in 120 100000 date-60 date100000 1h; do urls+=("$url/$value"); done

seen "7.88: 120, 100000, a minute ago, in 100000 s, 1h" "120 100000 -60 100000 1" "$(./ask "${urls[@]}")"
seen "8.14: 120, 100000, a minute ago, in 100000 s, 1h" "120 21600 0 21600 1" "$(chroot trixie /ask "${urls[@]}")"
finish

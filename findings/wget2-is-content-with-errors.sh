#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# wget2 ends with 0 when the server refused.
#
# Seen 2026-11-29: wget2 1.99.1 (Debian 12).
# A good guess: it follows wget, which ends with 8 for an answer that is an error, so that `wget2 … || retry` works.
# What happens: 0 for 409 and for 503, and nothing is printed; the answer to a 202 is not printed either.
# Why it matters: a script that moved from wget to wget2 believes every refusal to be a success. Ask for the status with
#   `--server-response`, or use curl with `--fail`.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
debian_packages wget2=1.99.1 wget=1.21.3

post() {
    local status=0
    "$1" -q -O out --tries=1 --post-data '{"applicationId":"A-1001"}' "$url/v1/events" || status=$?
    echo "exit code $status"
}

for answer in "409 Conflict" "503 Service Unavailable"; do
    answering "HTTP/1.1 $answer\r\nContent-Type: application/problem+json\r\nContent-Length: 2\r\n\r\n{}"
    seen "wget, $answer" "exit code 8" "$(post wget)"
    seen "wget2, $answer" "exit code 0" "$(post wget2)"
done
answering 'HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}'
seen "wget, 202 Accepted" "{}" "$(wget -q -O - --post-data '{}' "$url/v1/events")"
seen "wget2, 202 Accepted" "" "$(wget2 -q -O - --post-data '{}' "$url/v1/events")"
finish

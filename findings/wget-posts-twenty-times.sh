#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# wget repeats a POST that was not answered, twenty times.
#
# Seen 2026-11-29: wget 1.21.3 (Debian 12).
# A good guess: a POST whose connection ends without an answer is not repeated, as no other client does by itself; wget
#   reports "No data received" and ends with 4.
# What happens: its `--tries`, 20 by default and meant for downloads, covers POST too. The server gets the same body 20
#   times. `--tries=1` is what the guess expects.
# Why it matters: a cron job that reports an application with `wget --post-data` and meets a server that takes the event
#   and dies before it answers reports it 20 times. A sidecar has to know a repetition when it sees one, and keep
#   it cheap: the same application and seek-token are one signal.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
debian_packages wget=1.21.3

post() {
    : >requests
    local status=0
    wget -q -O - --waitretry=0 --post-data '{"applicationId":"A-1001"}' "$@" "$url/v1/events" || status=$?
    echo "$(sort requests | uniq -c | sed 's/^ *//'), exit code $status"
}

answering "" # only closes
seen "default" "20 POST /v1/events HTTP/1.1, exit code 4" "$(post)"
seen "--tries=1" "1 POST /v1/events HTTP/1.1, exit code 4" "$(post --tries=1)"
finish

#!/bin/sh
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
# usage: curl.sh APPLICATION_ID SEEK_TOKEN      with SEEK_SIGNAL_API_KEY where the service asks for one
# curl 7.84 or later; an older one knows no %header{retry-after}.
# Ids with quotes or backslashes need a tool that writes JSON, such as jq.
url=${SEEK_SIGNAL:-http://127.0.0.1:8787}/v1/events
post() { # the key comes by standard input: arguments are seen by every user of the machine
    if [ -n "$SEEK_SIGNAL_API_KEY" ]; then printf 'header = "Authorization: Bearer %s"\n' "$SEEK_SIGNAL_API_KEY"; fi |
        curl --config - --silent --show-error --max-time 10 --noproxy '*' --header 'Content-Type: application/json' \
            --write-out '\n%{http_code} %header{retry-after}' \
            --data "{\"applicationId\": \"$1\", \"token\": \"$2\"}" "$url"
}
for wait in 0.25 0.5 1 2 4 8 16 last; do
    answer=$(post "$1" "$2") && failed= || failed=yes # refused, cut, timed out
    status=${answer##*
}
    body=${answer%
*}
    case $failed${status%% *} in
        2??) case $body in *'"eventId":'*) printf '%s\n' "$body"; exit ;; esac ;; # else a page of a proxy: post again
        yes* | 408 | 429 | 5??) ;; # post again
        *) case $body in *'"code":"token_missing"'*) exit ;; esac # not from SEEK: there is nothing to send
            printf '%s: %s\n' "$status" "$body" >&2; exit 1 ;;
    esac
    [ "$wait" = last ] && { printf '%s\n' "$answer" >&2; exit 1; }
    asked=${status#* }
    sleep "$([ -z "$failed" ] && [ "${asked:-0}" -gt "${wait%.*}" ] 2>/dev/null && echo "$asked" || echo "$wait")"
done

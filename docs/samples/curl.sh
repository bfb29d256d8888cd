#!/bin/sh
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
# usage: curl.sh APPLICATION_ID SEEK_TOKEN
# curl repeats after refused connections, time-outs, 408, 429 and 5xx, and honours Retry-After; 4xx ends it.
url=${SEEK_SIGNAL:-http://127.0.0.1:8787}/v1/events
exec curl --fail-with-body --silent --show-error --max-time 10 \
    --retry 8 --retry-connrefused --retry-max-time 120 \
    --header 'Content-Type: application/json' \
    --data "{\"applicationId\": \"$1\", \"token\": \"$2\"}" "$url"

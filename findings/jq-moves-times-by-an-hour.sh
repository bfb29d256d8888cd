#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# jq 1.6 moves a UTC time by an hour when the machine's zone has summer time.
#
# Seen 2026-11-29, Debian 12: jq 1.6; tzdata of Debian 12.
# A good guess: `fromdate` reads an RFC 3339 time that ends in Z, so that the zone of the machine has no part in it, and
#   `fromdate | todate` gives the same time back.
# What happens: with TZ=UTC it does. With TZ=Australia/Sydney a time in the southern summer comes back an hour later,
#   one in winter rightly; Brisbane, which has no summer time, is right all year. `strflocaltime` names the zone AEST
#   while its summer time holds.
# Why it matters: a job that makes `completedAt` or compares `deliveredAt` with jq is an hour wrong for half of the
#   year, and passes each test on a machine that runs in UTC. Run jq with TZ=UTC.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
debian_packages jq=1.6-2.1 tzdata=20

round_trip() { TZ=$1 jq -n -r --arg time "$2" '$time | fromdate | todate'; }
summer=2026-11-29T08:30:00Z winter=2026-06-29T08:30:00Z
seen "UTC" "$summer" "$(round_trip UTC $summer)"
seen "Brisbane" "$summer" "$(round_trip Australia/Brisbane $summer)"
seen "Sydney in winter" "$winter" "$(round_trip Australia/Sydney $winter)"
seen "Sydney in summer" "2026-11-29T09:30:00Z" "$(round_trip Australia/Sydney $summer)"
seen "its zone in summer" "AEST" "$(TZ=Australia/Sydney jq -n -r '1795940905 | strflocaltime("%Z")')"
seen "as the C library has it" "AEDT" "$(TZ=Australia/Sydney date -d @1795940905 +%Z)"
finish

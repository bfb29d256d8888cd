#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# increase() of the same samples is 2.5 in Prometheus and 5 in VictoriaMetrics, and 0 in one where it is 3 in the other.
#
# Seen 2026-11-30, Debian 12: prometheus 2.42.0, victoria-metrics 1.79.5.
# A good guess: both have the same query language, so increase(errors_total[5m]) of the same samples is the same number,
#   and an alert that asks for `> 0` fires in both.
# What happens: a counter appears with 3 and rises to 5. Prometheus says 0 before the rise, since it counts from the first
#   sample on, and 2.5 after it, since it extrapolates. VictoriaMetrics counts the first sample too: 3, and 5. It does
#   so only for small values: for a counter that appears with 300 both say 0. rate() is the same in both.
# Why it matters: errors between the start of a process and the first scrape raise an alert in one of them only, and a
#   rule `> 4` that was right in one is wrong in the other. Let counters be there with 0 from the start, scrape often,
#   and test rules with the one that evaluates them.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
debian_packages prometheus=2.42.0 victoria-metrics=1.79.5 curl=7.88.1 jq=1.6

# A sample each minute: in the fifth the counter that appeared with 3 is at 5.
begun=1796000000
{
    echo '# TYPE errors counter'
    for minute in 0 1 2 3 4 5; do
        echo "errors_total{from=\"3\"} $((minute < 4 ? 3 : 5)) $((begun + 60 * minute))"
    done
    for minute in 0 1 2 3 4 5; do
        echo "errors_total{from=\"300\"} 300 $((begun + 60 * minute))"
    done
    echo '# EOF'
} >samples
promtool tsdb create-blocks-from openmetrics samples blocks >promtool.log
echo '{}' >prometheus.yml
free_ports='import socket
for s in [socket.create_server(("127.0.0.1", 0)) for _ in "ab"]: print(s.getsockname()[1])'
{ read -r one && read -r other; } < <(python3 -c "$free_ports")
in_background prometheus --config.file=prometheus.yml --storage.tsdb.path=blocks --storage.tsdb.retention.time=10y \
    --web.listen-address="127.0.0.1:$one"
in_background victoria-metrics -storageDataPath=victoria -retentionPeriod=10y -httpListenAddr="127.0.0.1:$other"

get() { curl -s --noproxy '*' "$@"; }
# value PORT QUERY SECOND
value() { get "http://127.0.0.1:$1/api/v1/query" --data-urlencode "query=$2" -d "time=$((begun + $3))" | jq -r '.data.result[].value[1]'; }
# until_there COMMAND...: until it prints something
until_there() {
    local _
    for _ in $(seq 300); do
        [ -n "$("$@" 2>&1)" ] && return
        sleep 0.1
    done
    echo "Nothing of: $*" >&2
    exit 1
}
until_there value "$one" 'errors_total{from="300"}' 270
until_there get "http://127.0.0.1:$other/health"
sed '/^#/d; s/$/000/' samples | get --data-binary @- "http://127.0.0.1:$other/api/v1/import/prometheus"
get "http://127.0.0.1:$other/internal/force_flush"
until_there value "$other" 'errors_total{from="300"}' 270

both() { echo "$(value "$one" "$1" "$2") and $(value "$other" "$1" "$2")"; }
seen "the counter before the rise" "3 and 3" "$(both 'errors_total{from="3"}' 200)"
seen "increase before the rise" "0 and 3" "$(both 'increase(errors_total{from="3"}[5m])' 200)"
seen "increase after the rise" "2.5 and 5" "$(both 'increase(errors_total{from="3"}[5m])' 270)"
seen "increase of the one that stays at 300" "0 and 0" "$(both 'increase(errors_total{from="300"}[5m])' 270)"
seen "rate after the rise, for 1,000 s" "8 and 8" "$(both 'floor(rate(errors_total{from="3"}[5m]) * 1000)' 270)"
finish

#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# syslog-ng makes 0 of a small number in a line of JSON, and leaves out empty objects.
#
# Seen 2026-11-30: syslog-ng-core 4.8.1 (Debian 13), json-parser and format-json; rsyslog 8.2302.0 (Debian 12), mmjsonparse,
#   beside it.
# A good guess: since version 4 syslog-ng keeps the types of JSON, so a number has its value after json-parser and
#   format-json, to the precision of a double. An object without members stays one.
# What happens: all behind the sixth decimal place is lost. 0.00012345 becomes 0.000123, and 0.0000005 and 1.5e-9 become 0.
#   Large numbers and 0.1 are right to 16 digits. {"labels": {}} becomes nothing, and [] stays. rsyslog writes each number as
#   it came.
# Why it matters: durations in seconds, rates and costs are often that small, and a 0 looks like a measurement. Log them in a
#   unit that makes them integers, as milliseconds or nanoseconds.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
debian_packages rsyslog=8.2302.0 debootstrap=1
debian_13 syslog-ng-core=4.8.1

mkdir trixie/finding
cat >lines <<'END'
{"event":"done","plain":0.00012345,"tiny":0.0000005,"exponent":1.5e-9,"half":2.5,"large":123456789.123456,"count":12,"labels":{},"list":[]}
END
cp lines trixie/finding/lines
cat >trixie/finding/syslog-ng.conf <<'END'
@version: 4.8
source lines { file("/finding/lines" flags(no-parse) read-old-records(yes)); };
parser json { json-parser(prefix(".json.")); };
destination out { file("/finding/out" template("$(format-json .json.* --shift-levels 2)\n")); };
log { source(lines); parser(json); destination(out); };
END
in_background chroot trixie syslog-ng -F --no-caps -f /finding/syslog-ng.conf -R /finding/persist -p /finding/pid -c /finding/control
cat >rsyslog.conf <<END
global(workDirectory="$PWD")
module(load="imfile" mode="polling" pollingInterval="1")
module(load="mmjsonparse")
template(name="json" type="list") { property(name="\$!all-json") constant(value="\n") }
input(type="imfile" file="$PWD/lines" tag="finding:" ruleset="json")
ruleset(name="json") {
    action(type="mmjsonparse" cookie="")
    action(type="omfile" file="$PWD/out" template="json")
}
END
in_background rsyslogd -n -f rsyslog.conf -i "$PWD/rsyslog.pid"
for _ in $(seq 100); do
    [ -s trixie/finding/out ] && [ -s out ] && break
    sleep 0.2
done

# of FILE MEMBER: the value as it is written
of() { grep -oP "\"$2\": ?\K(\{ ?\}|\[ ?\]|[^,} ]+)" "$1" || echo nothing; }
syslog_ng() { of trixie/finding/out "$1"; }

seen "syslog-ng, 0.00012345" 0.00012300000000000001 "$(syslog_ng plain)"
seen "syslog-ng, 0.0000005" 0 "$(syslog_ng tiny)"
seen "syslog-ng, 1.5e-9" 0 "$(syslog_ng exponent)"
seen "syslog-ng, 2.5" 2.5 "$(syslog_ng half)"
seen "syslog-ng, 123456789.123456" 123456789.123456 "$(syslog_ng large)"
seen "syslog-ng, 12" 12 "$(syslog_ng count)"
seen "syslog-ng, {}" nothing "$(syslog_ng labels)"
seen "syslog-ng, []" "[]" "$(syslog_ng list)"
for member in plain:0.00012345 tiny:0.0000005 exponent:1.5e-9 "labels:{ }"; do
    seen "rsyslog, ${member#*:}" "${member#*:}" "$(of out "${member%%:*}")"
done
finish

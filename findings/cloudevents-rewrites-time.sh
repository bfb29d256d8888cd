#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# The CloudEvents SDK for JavaScript writes another time than the one it was given.
#
# Seen 2026-11-30: cloudevents 10.0.0.
# A good guess: `time` is a string of RFC 3339 in the format and in the SDK's type, so it is passed on as it is.
# What happens: on the way out, in both modes, it becomes UTC with three digits: the offset and all below a millisecond are
#   gone. On the way in too: the event in memory has another text than the message, and a gateway passes that one on.
# Why it matters: who compares times as texts, signs them, or takes the local day of completion out of the offset gets
#   another answer behind such a gateway. Compare moments, to the millisecond.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
npm_packages cloudevents@10.0.0

cat >pass.mjs <<'END'
import { CloudEvent, HTTP } from 'cloudevents';

const event = { specversion: '1.0', id: '1', source: '/ats', type: 'application.completed', time: '2026-01-02T03:04:05.123456+11:00' };
const made = new CloudEvent({ ...event, data: {} });
const read = HTTP.toEvent({ headers: { 'content-type': 'application/cloudevents+json' }, body: JSON.stringify(event) });
console.log(made.time);
console.log(JSON.parse(HTTP.structured(made).body).time);
console.log(HTTP.binary(made).headers['ce-time']);
console.log(read.time);
END
node pass.mjs >out
seen "as it is given, in memory" "2026-01-02T03:04:05.123456+11:00" "$(sed -n 1p out)"
seen "sent, structured" "2026-01-01T16:04:05.123Z" "$(sed -n 2p out)"
seen "sent, binary" "2026-01-01T16:04:05.123Z" "$(sed -n 3p out)"
seen "read, in memory" "2026-01-01T16:04:05.123Z" "$(sed -n 4p out)"
finish

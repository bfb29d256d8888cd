#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# The CloudEvents SDK for JavaScript sends a string in binary mode as it stands, under application/json.
#
# Seen 2026-11-29: cloudevents 10.0.0, HTTP.binary.
# A good guess: with `datacontenttype: application/json` the data is written as JSON whatever it is, so that the string
#   A-1001 travels as "A-1001" with its quotation marks, and a number as its digits.
# What happens: only objects are written as JSON. A string goes out bare, which is no JSON; a number or boolean is put
#   into the message as it is, which Node's HTTP client refuses to write. In structured mode the string is right.
#   The SDK's own reader takes the bare string back, so that a test with both ends passes.
# Why it matters: an event with only an application id, a natural shape, gets 400 for bad JSON, and the sender is sure
#   of its content type. Send an object, or use the structured mode.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
npm_packages cloudevents@10.0.0

cat >write.mjs <<'END'
import { CloudEvent, HTTP } from 'cloudevents';

const event = (data) => new CloudEvent({
    id: '1', source: '/ats', type: 'application.completed', datacontenttype: 'application/json', data,
});
const body = (data) => HTTP.binary(event(data)).body;
console.log('object:', body({ applicationId: 'A-1001' }));
console.log('string:', body('A-1001'));
console.log('number:', typeof body(1001));
console.log('structured:', JSON.stringify(JSON.parse(HTTP.structured(event('A-1001')).body).data));
console.log('read again:', HTTP.toEvent(HTTP.binary(event('A-1001'))).data);
END
node write.mjs >out
seen "binary" 'object: {"applicationId":"A-1001"}' "$(sed -n 1p out)"
seen "binary" 'string: A-1001' "$(sed -n 2p out)"
seen "binary" 'number: number' "$(sed -n 3p out)"
seen "the same string" 'structured: "A-1001"' "$(sed -n 4p out)"
seen "the SDK's own reader" 'read again: A-1001' "$(sed -n 5p out)"
finish

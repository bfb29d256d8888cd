#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# The CloudEvents SDK for JavaScript neither encodes nor decodes the header values of the binary mode.
#
# Seen 2026-11-30: cloudevents 10.0.0, Node 20.
# A good guess: HTTP.binary() writes attributes as the HTTP binding 1.0.2 has them (§3.1.3.2): blanks, quotation marks,
#   percent signs and all beyond ASCII are percent-encoded in headers. HTTP.toEvent() decodes them, so another SDK's event
#   arrives as it was sent.
# What happens: the value is put into the header as it is, and taken out as it is. "50%25" means "50%" to a reader that
#   follows the binding, and stays "50%25" for this one. "Malmö" is sent as one byte of Latin-1. "Łódź" makes fetch raise a
#   TypeError, and the event is not sent. The structured mode has none of this.
# Why it matters: `id` and `source` have another value behind a gateway in another language, so deduplication by them fails,
#   and an ATS with a Polish customer cannot send at all. Use ASCII without percent signs in attributes, or the structured
#   mode.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
npm_packages cloudevents@10.0.0

cat >encode.js <<'END'
import http from "node:http";
import { CloudEvent, HTTP } from "cloudevents";

const event = (subject) => new CloudEvent({ id: "1", type: "completed", source: "ats", subject, data: { applicationId: "A-1001" } });
console.log(HTTP.binary(event('a "b" 50%25')).headers["ce-subject"]);

const headers = { "content-type": "application/json", "ce-id": "1", "ce-type": "completed", "ce-source": "ats", "ce-specversion": "1.0" };
console.log(HTTP.toEvent({ headers: { ...headers, "ce-subject": "Malm%C3%B6%2050%25" }, body: "{}" }).subject);

const server = http.createServer((request, answer) => {
    console.log(Buffer.from(request.headers["ce-subject"], "latin1").toString("hex"));
    answer.end();
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const url = `http://127.0.0.1:${server.address().port}/`;
const send = (message) => fetch(url, { method: "POST", headers: message.headers, body: message.body });
await send(HTTP.binary(event("Malmö")));
try {
    await send(HTTP.binary(event("Łódź")));
    console.log("sent");
} catch (error) {
    console.log(error.name);
}
server.close();
server.closeAllConnections();
console.log(JSON.parse(HTTP.structured(event("Łódź 50%25")).body).subject);
console.log(HTTP.toEvent(HTTP.structured(event("Łódź 50%25"))).subject);
END
node encode.js >lines

line() { sed -n "${1}p" lines; }
seen 'written, for: a "b" 50%25' 'a "b" 50%25' "$(line 1)"
seen "read, from: Malm%C3%B6%2050%25" "Malm%C3%B6%2050%25" "$(line 2)"
seen "sent, for Malmö" 4d616c6df6 "$(line 3)"
seen "sent, for Łódź" TypeError "$(line 4)"
seen "structured, written" "Łódź 50%25" "$(line 5)"
seen "structured, read" "Łódź 50%25" "$(line 6)"
finish

#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# Standard Webhooks' verifier for JavaScript does not find the headers of a Request.
#
# Seen 2026-11-29: standardwebhooks 1.1.1, Node 20.
# A good guess: `verify(body, request.headers)` works with the Headers object that fetch, Deno, Bun and the handlers of
#   most newer frameworks hand over, since that is where the three headers are.
# What happens: "Missing required headers". It walks over the object's own keys, of which a Headers object has none.
#   A plain object works, in any case of letters.
# Why it matters: an ATS behind such a framework refuses every genuine webhook with an error that blames the sender.
#   Hand over Object.fromEntries(request.headers).
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
npm_packages standardwebhooks@1.1.1

cat >verify.mjs <<'END'
import { Webhook } from 'standardwebhooks';

const webhook = new Webhook(Buffer.from('a secret for this finding only').toString('base64'));
const body = '{"applicationId":"A-1001"}';
const now = new Date();
const request = new Request('http://localhost/', {
    method: 'POST',
    body,
    headers: {
        'Webhook-Id': 'msg_1',
        'Webhook-Timestamp': String(Math.floor(now.getTime() / 1000)),
        'Webhook-Signature': webhook.sign('msg_1', now, body),
    },
});
for (const headers of [request.headers, Object.fromEntries(request.headers)]) {
    try {
        console.log(JSON.stringify(webhook.verify(body, headers)));
    } catch (error) {
        console.log(error.message);
    }
}
END
node verify.mjs >out
seen "request.headers" "Missing required headers" "$(sed -n 1p out)"
seen "as a plain object" '{"applicationId":"A-1001"}' "$(sed -n 2p out)"
finish

#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# The JSON parsers of Express and Fastify do not read application/cloudevents+json.
#
# Seen 2026-11-30: express 5.3.0, fastify 5.6.2, Node 20; python3-flask 2.2.2 beside them (Debian 12).
# A good guess: what parses the body of a webhook that is application/json also parses one whose type ends in +json
#   (RFC 6839), as Flask does.
# What happens: Express calls the handler without a body, and no error is raised. Fastify answers 415 before the handler
#   is called.
# Why it matters: a receiver of notifications on Express answers 200 to what it has not read, so the sender does not
#   repeat it. Behind Fastify no notification arrives. Name the type: `express.json({ type: 'application/*+json' })`,
#   `app.addContentTypeParser('application/cloudevents+json', …)`; a signature is checked over the raw body anyway.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
debian_packages python3-flask=2.2.2
npm_packages express@5.3.0 fastify@5.6.2

cat >receive.mjs <<'END'
import express from 'express';
import Fastify from 'fastify';

async function post(server, type) {
    const url = `http://127.0.0.1:${server.address().port}/`;
    const answer = await fetch(url, { method: 'POST', headers: { 'Content-Type': type }, body: '{"id":"1"}' });
    return `${answer.status} ${answer.ok ? await answer.text() : ''}`.trim();
}
async function expressWith(options) {
    const app = express();
    app.use(express.json(options));
    app.post('/', (request, response) => response.send(`id ${request.body?.id}`));
    return new Promise((resolve) => { const server = app.listen(0, '127.0.0.1', () => resolve(server)); });
}
const fastify = Fastify();
fastify.post('/', (request) => Promise.resolve(`id ${request.body.id}`));
await fastify.listen({ port: 0, host: '127.0.0.1' });

const named = await expressWith({ type: ['application/json', 'application/*+json'] });
for (const server of [await expressWith(), named, fastify.server])
    for (const type of ['application/json', 'application/cloudevents+json; charset=utf-8'])
        console.log(await post(server, type));
process.exit();
END
cat >receive.py <<'END'
from flask import Flask, request

app = Flask(__name__)
app.add_url_rule("/", "receive", lambda: "id " + request.get_json()["id"], methods=["POST"])
answer = app.test_client().post("/", data='{"id":"1"}', content_type="application/cloudevents+json; charset=utf-8")
print(answer.status_code, answer.text)
END
node receive.mjs >out
seen "Express, application/json" "200 id 1" "$(sed -n 1p out)"
seen "Express, application/cloudevents+json" "200 id undefined" "$(sed -n 2p out)"
seen "Express with the type named" "200 id 1" "$(sed -n 4p out)"
seen "Fastify, application/json" "200 id 1" "$(sed -n 5p out)"
seen "Fastify, application/cloudevents+json" "415" "$(sed -n 6p out)"
seen "Flask, application/cloudevents+json" "200 id 1" "$(/usr/bin/python3 receive.py)"
finish

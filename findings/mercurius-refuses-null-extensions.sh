#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# mercurius refuses a request whose `extensions` is null, though `variables` and `operationName` may be.
#
# Seen 2026-11-29: mercurius 16.10.1, fastify 5.6.2, graphql 16.11.0, Node 20.
# A good guess: null is the same as leaving an optional parameter out (GraphQL over HTTP, "Request Parameters"), for all
#   three of them.
# What happens: 400 "body/extensions must be object", without a code.
# Why it matters: serializers write null for what is not there. To a sender it looks as if the schema had changed.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
npm_packages mercurius@16.10.1 fastify@5.6.2 graphql@16.11.0

cat >server.mjs <<'END'
import Fastify from 'fastify';
import mercurius from 'mercurius';

const app = Fastify();
app.register(mercurius, { schema: 'type Query { up: Boolean }', resolvers: { Query: { up: () => true } } });
await app.listen({ port: 0, host: '127.0.0.1' });
for (const name of ['variables', 'operationName', 'extensions']) {
    const answer = await app.inject({ method: 'POST', url: '/graphql', payload: { query: '{ up }', [name]: null } });
    console.log(answer.statusCode, answer.body);
}
await app.close();
END
node server.mjs >out
seen "variables: null" '200 {"data":{"up":true}}' "$(sed -n 1p out)"
seen "operationName: null" '200 {"data":{"up":true}}' "$(sed -n 2p out)"
seen "extensions: null" '400 {"data":null,"errors":[{"message":"body/extensions must be object"}]}' "$(sed -n 3p out)"
finish

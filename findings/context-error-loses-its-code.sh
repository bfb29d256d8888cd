#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# A GraphQLError thrown where a server checks the access token: two of four servers lose its code, and its form.
#
# Seen 2026-11-29: mercurius 16.10.1 (fastify 5), graphql-http 1.23.1, @apollo/server 5.5.1, graphql-yoga 5.24.1.
# A good guess: the usual place to look at Authorization is the function that makes the context. What it throws with
#   the code UNAUTHENTICATED reaches the client in `errors`, whatever the status is.
# What happens: yoga 200 and apollo 500, both with the code. mercurius: 500 with Fastify's own JSON, which has
#   `statusCode`, `error` and `message`, but no `errors`. graphql-http: 500 with nothing at all.
# Why it matters: an expired access token can look exactly like a server that is down. A worker that asks for a new
#   access token only on UNAUTHENTICATED or 401 repeats the old one until it runs out; so a streak of answers without
#   `errors` is a reason to try a new access token once too. A 500 that does carry the code is not an outage.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
npm_packages mercurius@16.10.1 fastify@5.12.8 graphql-http@1.23.1 @apollo/server@5.5.1 graphql-yoga@5.24.1 graphql@16.15.0

cat >server.mjs <<'END'
import { createServer } from 'node:http';
import { writeFileSync } from 'node:fs';
import { buildSchema, GraphQLError } from 'graphql';
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { createSchema, createYoga } from 'graphql-yoga';
import { createHandler } from 'graphql-http/lib/use/http';
import Fastify from 'fastify';
import mercurius from 'mercurius';

const typeDefs = 'type Query { version: String }';
const context = () => {
    throw new GraphQLError('The access token has expired.', { extensions: { code: 'UNAUTHENTICATED' } });
};
const listen = (server) => new Promise((done) => server.listen(0, '127.0.0.1', () => done(server.address().port)));

const fastify = Fastify();
fastify.register(mercurius, { schema: typeDefs, context });
const apollo = new ApolloServer({ typeDefs, includeStacktraceInErrorResponses: false });
const standalone = await startStandaloneServer(apollo, { context, listen: { host: '127.0.0.1', port: 0 } });
await fastify.listen({ host: '127.0.0.1', port: 0 });
const ports = [
    fastify.server.address().port,
    await listen(createServer(createHandler({ schema: buildSchema(typeDefs), context }))),
    new URL(standalone.url).port,
    await listen(createServer(createYoga({ schema: createSchema({ typeDefs }), context, logging: false }))),
];
writeFileSync('port', ports.join(' '));
END
in_background node server.mjs
read -r mercurius http apollo yoga <<<"$(port_file port)"

ask() {
    curl -s -o answer -w '%{http_code} ' -H 'Content-Type: application/json' -d '{"query": "{ version }"}' \
        "http://127.0.0.1:$1/graphql"
    cat answer
}
errors='{"errors":[{"message":"The access token has expired.","extensions":{"code":"UNAUTHENTICATED"}}]}'

seen "yoga" "200 $errors" "$(ask "$yoga")"
seen "apollo" "500 $errors" "$(ask "$apollo")"
seen "mercurius" '500 {"statusCode":500,"error":"Internal Server Error","message":"The access token has expired."}' \
    "$(ask "$mercurius")"
seen "graphql-http" '500 ' "$(ask "$http")"
finish

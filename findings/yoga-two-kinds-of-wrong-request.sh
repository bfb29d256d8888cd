#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# GraphQL Yoga: a wrong field is 200 with a code, a wrong variable is 400 without one.
#
# Seen 2026-11-29: graphql-yoga 5.24.1, graphql 16.15.0, Accept: application/json.
# A good guess: both are the caller's mistake and found before anything runs, so both come the same way: under
#   application/json as 200, with a code in `extensions`.
# What happens: a field that the schema does not have gets 200 and GRAPHQL_VALIDATION_FAILED; a variable that does not
#   fit its type gets 400 and no `extensions` at all; a body without `query` gets 200 and BAD_REQUEST.
# Why it matters: neither the status nor the code alone tells "our request does not fit your schema". Both decide
#   whether a queue waits for an operator or each signal dies by itself: a 400 whose error has no code and no path
#   belongs to the whole queue.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
npm_packages graphql-yoga@5.24.1 graphql@16.15.0

cat >server.mjs <<'END'
import { createServer } from 'node:http';
import { writeFileSync } from 'node:fs';
import { createSchema, createYoga } from 'graphql-yoga';

const schema = createSchema({
    typeDefs: `
        type Query { version: String }
        input SignalInput { typeCode: String! token: String }
        type Mutation { sendSignal(input: SignalInput!): Boolean }`,
    resolvers: { Mutation: { sendSignal: () => true } },
});
const server = createServer(createYoga({ schema, logging: false }));
server.listen(0, '127.0.0.1', () => writeFileSync('port', String(server.address().port)));
END
in_background node server.mjs
url=http://127.0.0.1:$(port_file port)/graphql

ask() {
    curl -s -o answer -w '%{http_code}' -H 'Content-Type: application/json' -H 'Accept: application/json' -d "$1" "$url"
    printf ' %s' "$(node -p 'JSON.stringify(JSON.parse(require("fs").readFileSync("answer")).errors?.[0].extensions ?? "no extensions")')"
}
# shellcheck disable=SC2016 # GraphQL's own dollar sign
mutation='mutation ($input: SignalInput!) { sendSignal(input: $input) }'

seen "all right" '200 "no extensions"' \
    "$(ask '{"query": "'"$mutation"'", "variables": {"input": {"typeCode": "ApplicationComplete"}}}')"
seen "unknown field" '200 {"code":"GRAPHQL_VALIDATION_FAILED"}' "$(ask '{"query": "mutation { sendSignals }"}')"
seen "variable without its required member" '400 "no extensions"' \
    "$(ask '{"query": "'"$mutation"'", "variables": {"input": {"token": "t"}}}')"
seen "no query" '200 {"code":"BAD_REQUEST"}' "$(ask '{"variables": {}}')"
finish

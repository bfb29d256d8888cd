#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# Envelop's rate limiter writes Retry-After as its own settings have it: "30s" or "1m".
#
# Seen 2026-11-30: @envelop/rate-limiter 10.2.1, graphql-yoga 5.24.1, graphql 16.11.0, Node 20.
# A good guess: over the limit the answer is 429 with the seconds left in Retry-After (RFC 9110 §10.2.3), or at least an
#   error whose code says it.
# What happens: 200 with an error that has no code. Retry-After is the `window` of the setting, unchanged, not what is
#   left of it.
# Why it matters: neither the status nor a code says that it is a limit, so a sender does not slow down. A client that
#   reads only the digits, as libcurl does, comes back after one second instead of a minute. A Retry-After that is
#   neither a number nor a date should count as none.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
debian_packages curl=7.88.1
npm_packages @envelop/rate-limiter@10.2.1 graphql-yoga@5.24.1 graphql@16.11.0

cat >serve.mjs <<'END'
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { useRateLimiter } from '@envelop/rate-limiter';
import { createSchema, createYoga } from 'graphql-yoga';

const handlers = Object.fromEntries(['30s', '1m'].map((window) => [`/${window}`, createYoga({
    graphqlEndpoint: `/${window}`,
    logging: false,
    schema: createSchema({ typeDefs: 'type Query { up: Boolean }', resolvers: { Query: { up: () => true } } }),
    plugins: [useRateLimiter({
        identifyFn: () => 'everybody',
        configByField: [{ type: 'Query', field: 'up', max: 1, window }],
    })],
})]));
const server = createServer((request, response) => handlers[request.url](request, response));
server.listen(0, '127.0.0.1', () => writeFileSync('port', String(server.address().port)));
END
in_background node serve.mjs
url=http://127.0.0.1:$(port_file port)
# ask WINDOW: status, Retry-After, and the code (null: none) or the data.
ask() {
    curl -s --noproxy '*' -D head -o body -H 'Content-Type: application/json' --data '{"query":"{ up }"}' "$url/$1"
    node -p '
        const [head, body] = ["head", "body"].map((name) => fs.readFileSync(name, "utf8"));
        const { data, errors } = JSON.parse(body);
        [head.split(" ")[1], head.match(/retry-after: (.*?)\r/i)?.[1] ?? "none",
            errors ? `code ${errors[0].extensions?.code ?? null}` : `data ${data.up}`].join(", ")'
}
seen "within the limit" "200, none, data true" "$(ask 30s)"
seen "over the limit, a window of 30s" "200, 30s, code null" "$(ask 30s)"
seen "within the limit" "200, none, data true" "$(ask 1m)"
seen "over the limit, a window of 1m" "200, 1m, code null" "$(ask 1m)"
finish

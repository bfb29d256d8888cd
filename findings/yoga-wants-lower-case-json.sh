#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# GraphQL Yoga refuses the media type Application/JSON with an empty 415.
#
# Seen 2026-11-29: graphql-yoga 5.24.1, @apollo/server 5.5.1, graphql 16.11.0, Node 20.
# A good guess: a media type is read in any case of its letters (RFC 9110 section 8.3.1), as Apollo Server does.
# What happens: 415 without a body, so that neither code nor message says what is wrong.
# Why it matters: clients that write header values in capitals exist. A 415 of a GraphQL server may come without JSON.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
npm_packages graphql-yoga@5.24.1 @apollo/server@5.5.1 graphql@16.11.0

cat >servers.mjs <<'END'
import { createServer } from 'node:http';
import { createSchema, createYoga } from 'graphql-yoga';
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';

const typeDefs = 'type Query { up: Boolean }';
const resolvers = { Query: { up: () => true } };
const yoga = createServer(createYoga({ schema: createSchema({ typeDefs, resolvers }), logging: false }));
await new Promise((resolve) => yoga.listen(0, '127.0.0.1', resolve));
const apollo = await startStandaloneServer(new ApolloServer({ typeDefs, resolvers }), { listen: { port: 0, host: '127.0.0.1' } });
for (const url of [`http://127.0.0.1:${yoga.address().port}/graphql`, apollo.url])
    for (const type of ['application/json', 'Application/JSON']) {
        const answer = await fetch(url, { method: 'POST', headers: { 'Content-Type': type }, body: '{"query":"{ up }"}' });
        console.log(answer.status, (await answer.text()).trim());
    }
process.exit();
END
node servers.mjs >out
seen "Yoga, application/json" '200 {"data":{"up":true}}' "$(sed -n 1p out)"
seen "Yoga, Application/JSON" "415 " "$(sed -n 2p out)"
seen "Apollo Server, application/json" '200 {"data":{"up":true}}' "$(sed -n 3p out)"
seen "Apollo Server, Application/JSON" '200 {"data":{"up":true}}' "$(sed -n 4p out)"
finish

#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# Apollo Server answers a request that is no JSON with a page of HTML, not with GraphQL errors.
#
# Seen 2026-11-29: @apollo/server 5.5.1, its own standalone server, Node 20.
# A good guess: every answer of a GraphQL server is JSON with `errors`; a body that is cut short gets 400 and a code
#   such as BAD_REQUEST, as an empty body does.
# What happens: the JSON parser in front of it refuses first. 400, text/html, no `errors`; a charset other than UTF-8
#   gets a 415 of the same kind. The page carries a stack trace unless NODE_ENV is production.
# Why it matters: who reads `errors[0].extensions.code` without a look at the content type fails over the "<". A worker
#   has to sort such an answer by its status alone, as misconfigured and not as "the server is down", and must not
#   copy the page into its log.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
npm_packages @apollo/server@5.5.1 graphql@16.15.0

cat >server.mjs <<'END'
import { writeFileSync } from 'node:fs';
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';

const server = new ApolloServer({ typeDefs: 'type Query { version: String }' });
const { url } = await startStandaloneServer(server, { listen: { host: '127.0.0.1', port: 0 } });
writeFileSync('port', new URL(url).port);
END
in_background env NODE_ENV=production node server.mjs
url=http://127.0.0.1:$(port_file port)/

ask() { curl -s -o answer -w '%{http_code} %{content_type}' -H "Content-Type: $1" --data-binary "$2" "$url"; }

seen "empty body" "400 application/json; charset=utf-8" "$(ask application/json '')"
seen "its code" '"code":"BAD_REQUEST"' "$(grep -o '"code":"BAD_REQUEST"' answer)"
seen "body cut short" "400 text/html; charset=utf-8" "$(ask application/json '{"query": ')"
seen "it begins" "<!DOCTYPE html>" "$(head -n 1 answer)"
seen "other charset" "415 text/html; charset=utf-8" \
    "$(ask 'application/json; charset=ISO-8859-1' '{"query":"{version}"}')"
finish

#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# Apollo Client's RetryLink sends a mutation again, even one that the server has refused with 400.
#
# Seen 2026-11-29: @apollo/client 3.13.8, Node 20.
# A good guess: RetryLink without options repeats queries after network failures. A mutation, or a request that got a 400
#   with an error code, is not sent again unless somebody asks for that.
# What happens: both are "network errors" to it. The mutation is sent five times, over some seconds, also after a 400
#   whose body says BAD_USER_INPUT. The same error with HTTP 200 ends it at once.
# Why it matters: an ATS that calls sendSignal itself by this client repeats what SEEK refuses for good, and what SEEK may
#   have taken when the connection broke behind the request.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
npm_packages @apollo/client@3.13.8 graphql@16.11.0

cat >mutate.mjs <<'END'
import { ApolloClient, InMemoryCache, HttpLink, gql, from } from '@apollo/client/core/index.js';
import { RetryLink } from '@apollo/client/link/retry/index.js';

const link = from([new RetryLink(), new HttpLink({ uri: process.argv[2] })]);
const client = new ApolloClient({ cache: new InMemoryCache(), link });
try {
    await client.mutate({ mutation: gql`mutation { sendSignal(input: { token: "a" }) }` });
} catch (error) {
    console.log(error.message);
}
END
body='{"errors":[{"message":"refused","extensions":{"code":"BAD_USER_INPUT"}}]}'
head="Content-Type: application/json\r\nContent-Length: ${#body}\r\nConnection: close\r\n\r\n$body"
answering "HTTP/1.1 400 Bad Request\r\n$head"
seen "400" "Response not successful: Received status code 400" "$(node mutate.mjs "$url")"
seen "how often" 5 "$(wc -l <requests)"
answering ""
seen "cut" "fetch failed" "$(node mutate.mjs "$url")"
seen "how often" 5 "$(wc -l <requests)"
answering "HTTP/1.1 200 OK\r\n$head"
seen "200" "refused" "$(node mutate.mjs "$url")"
seen "how often" 1 "$(wc -l <requests)"
finish

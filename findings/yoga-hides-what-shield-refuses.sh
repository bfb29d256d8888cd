#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# GraphQL Yoga turns a refusal by graphql-shield into "Unexpected error.", the same as an outage.
#
# Seen 2026-11-30: graphql-yoga 5.24.1, graphql-shield 7.6.5, graphql-middleware 6.1.35, graphql 16.11.0, Node 20.
# A good guess: a rule of graphql-shield that says no gives "Not Authorised!", perhaps with a code such as FORBIDDEN. A
#   GraphQLError with a code that a resolver throws arrives as it is. Only an outage is hidden by Yoga.
# What happens: graphql-shield makes "Not Authorised!" of all three, without a code; also in a field that has no rule.
#   Yoga takes that for an error of the program, and hides it: INTERNAL_SERVER_ERROR, "Unexpected error.". Without
#   graphql-shield the GraphQLError keeps its code.
# Why it matters: a worker repeats a signal that is refused for good, and nobody can see from the answers that it is a
#   matter of rights. A code RATE_LIMITED does not arrive either. Such a server should set `fallbackError` to a
#   GraphQLError with a code, and `allowExternalErrors`.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
npm_packages graphql-yoga@5.24.1 graphql-shield@7.6.5 graphql-middleware@6.1.35 @graphql-tools/schema@10.1.5 graphql@16.11.0

cat >ask.mjs <<'END'
import { makeExecutableSchema } from '@graphql-tools/schema';
import { GraphQLError } from 'graphql';
import { applyMiddleware } from 'graphql-middleware';
import { rule, shield } from 'graphql-shield';
import { createYoga } from 'graphql-yoga';

const plain = makeExecutableSchema({
    typeDefs: 'type Query { fine: Boolean forbidden: Boolean limited: Boolean broken: Boolean }',
    resolvers: {
        Query: {
            fine: () => true,
            forbidden: () => true,
            limited() { throw new GraphQLError('later', { extensions: { code: 'RATE_LIMITED' } }); },
            broken() { throw new Error('the database is away'); },
        },
    },
});
const shielded = applyMiddleware(plain, shield({ Query: { fine: rule()(() => true), forbidden: rule()(() => false) } }));
const coded = applyMiddleware(plain, shield({ Query: { forbidden: rule()(() => false) } }, {
    allowExternalErrors: true,
    fallbackError: new GraphQLError('no', { extensions: { code: 'FORBIDDEN' } }),
}));
for (const schema of [plain, shielded, coded]) {
    const yoga = createYoga({ schema, logging: false });
    for (const field of ['fine', 'forbidden', 'limited', 'broken']) {
        const answer = await yoga.fetch('http://localhost/graphql', {
            method: 'POST',
            headers: { 'Content-Type': 'application/json' },
            body: JSON.stringify({ query: `{ ${field} }` }),
        });
        const { data, errors } = await answer.json();
        console.log(answer.status, errors ? `${errors[0].extensions?.code}: ${errors[0].message}` : data[field]);
    }
}
END
node ask.mjs >out
hidden="200 INTERNAL_SERVER_ERROR: Unexpected error."
seen "without graphql-shield, an error with a code" "200 RATE_LIMITED: later" "$(sed -n 3p out)"
seen "without graphql-shield, an outage" "$hidden" "$(sed -n 4p out)"
seen "with it, what the rule allows" "200 true" "$(sed -n 5p out)"
seen "with it, what the rule refuses" "$hidden" "$(sed -n 6p out)"
seen "with it, an error with a code" "$hidden" "$(sed -n 7p out)"
seen "with it, an outage" "$hidden" "$(sed -n 8p out)"
seen "set as above, what the rule refuses" "200 FORBIDDEN: no" "$(sed -n 10p out)"
seen "set as above, an error with a code" "200 RATE_LIMITED: later" "$(sed -n 11p out)"
finish

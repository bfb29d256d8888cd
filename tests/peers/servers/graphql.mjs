// SPDX-FileCopyrightText: seek-signal contributors
// SPDX-License-Identifier: MIT
//
// One GraphQL server of other people's with SEEK's sendSignal: node graphql.mjs PEER PORT TAKEN-FILE [more | without]
//
// - A seek-token `throw.N` is refused by the resolver with the Nth of `codes`, `plain` by an Error without a code.
// - PUT /context with a code (empty: none) makes the context throw it from then on.
// - Whatever is taken is one line of TAKEN-FILE, written before the answer.
// - "more": the input has one more required member, as a schema may get some day; "without": there is no sendSignal.
//
// Prints "ready PORT CONTROL-PORT". SIGTERM drains as the peer's own documentation shows it.
import { appendFileSync } from 'node:fs';
import { createServer } from 'node:http';

import { buildSchema, GraphQLError } from 'graphql';

const [peer, port, takenFile, schema] = process.argv.slice(2);
const host = '127.0.0.1';
let contextCode = '';
const codes = ['UNAUTHENTICATED', 'FORBIDDEN', 'BAD_USER_INPUT', 'INTERNAL_SERVER_ERROR', 'NEVER_HEARD_OF', 'RATE_LIMITED'];

const typeDefs = `
    scalar DateTime
    input SendSignalInput {
        typeCode: String!
        token: String
        timestamp: DateTime
        candidateApplicationProfileId: String
        positionProfileIds: [String!]
        ${schema === 'more' ? 'consent: Boolean!' : ''}
    }
    type Query { version: String! }
    type Mutation { ${schema === 'without' ? 'sendNothing' : 'sendSignal'}(input: SendSignalInput!): Boolean }`;

function sendSignal(input) {
    const [word, number] = input.token.split('.');
    if (word === 'plain') throw new Error('no code here');
    if (word === 'throw') throw new GraphQLError('the resolver refuses', { extensions: { code: codes[number] } });
    appendFileSync(takenFile, `${input.token}\n`);
    return true;
}

function context() {
    if (contextCode) throw new GraphQLError('the context refuses', { extensions: { code: contextCode } });
    return {};
}

const resolvers = { Query: { version: () => 'v1' }, Mutation: schema === 'without' ? {} : { sendSignal: (_, { input }) => sendSignal(input) } };
const rootValue = { version: () => 'v1', sendSignal: ({ input }) => sendSignal(input) };
const listening = (server) => new Promise((done) => server.listen(Number(port), host, () => done(server)));
// close() alone waits for whoever goes on using a connection; Apollo and Fastify end each after its answer.
const drained = (server) => new Promise((done) => {
    server.close(done);
    setInterval(() => server.closeIdleConnections(), 10);
});

const peers = {
    async apollo() {
        const { ApolloServer } = await import('@apollo/server');
        const { startStandaloneServer } = await import('@apollo/server/standalone');
        const apollo = new ApolloServer({ typeDefs, resolvers, includeStacktraceInErrorResponses: false });
        const { url } = await startStandaloneServer(apollo, { context, listen: { host, port: Number(port) } });
        return [new URL(url).port, () => apollo.stop()];
    },
    async yoga() {
        const { createSchema, createYoga } = await import('graphql-yoga');
        const yoga = createYoga({ schema: createSchema({ typeDefs, resolvers }), context, logging: false });
        const server = await listening(createServer(yoga));
        return [server.address().port, () => drained(server)];
    },
    async mercurius() {
        const { default: Fastify } = await import('fastify');
        const { default: mercurius } = await import('mercurius');
        const fastify = Fastify();
        fastify.register(mercurius, { schema: typeDefs, resolvers, context });
        await fastify.listen({ host, port: Number(port) });
        return [fastify.server.address().port, () => fastify.close()];
    },
    async 'graphql-http'() {
        const { createHandler } = await import('graphql-http/lib/use/http');
        const server = await listening(createServer(createHandler({ schema: buildSchema(typeDefs), rootValue, context })));
        return [server.address().port, () => drained(server)];
    },
};

const [actual, stop] = await peers[peer]();
const control = createServer((request, response) => {
    let code = '';
    request.on('data', (piece) => { code += piece; });
    request.on('end', () => { contextCode = code; response.end(); });
});
await new Promise((done) => control.listen(0, host, done));
process.on('SIGTERM', async () => {
    await stop();
    process.exit(0);
});
console.log(`ready ${actual} ${control.address().port}`);

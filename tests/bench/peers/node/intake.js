// SPDX-FileCopyrightText: seek-signal contributors
// SPDX-License-Identifier: MIT
//
// What a user would write with Node: Fastify takes the event, BullMQ keeps it in Redis.
'use strict';
const { Queue } = require('bullmq');

const queue = new Queue('signals', { connection: { host: '127.0.0.1', port: Number(process.env.REDIS_PORT) } });
const app = require('fastify')();
const schema = {
    body: {
        type: 'object',
        required: ['applicationId', 'token'],
        properties: {
            applicationId: { type: 'string', minLength: 1, maxLength: 256 },
            token: { type: 'string', minLength: 1, maxLength: 4096 },
        },
    },
    response: {
        202: {
            type: 'object',
            properties: { applicationId: { type: 'string' }, eventId: { type: 'string' }, state: { type: 'string' } },
        },
    },
};

app.post('/v1/events', { schema }, async (request, reply) => {
    const { applicationId, token } = request.body;
    const job = await queue.add(
        'signal',
        { applicationId, token, completedAt: new Date().toISOString() },
        { jobId: applicationId, attempts: 100, backoff: { type: 'exponential', delay: 1000 }, removeOnComplete: true },
    );
    reply.code(202);
    return { applicationId, eventId: job.id, state: 'pending' };
});

queue
    .waitUntilReady()
    .then(() => app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) }))
    .then(() => console.log('ready'));

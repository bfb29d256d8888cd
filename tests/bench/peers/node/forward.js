// SPDX-FileCopyrightText: seek-signal contributors
// SPDX-License-Identifier: MIT
//
// What a user would write with Node: a BullMQ worker sends each signal by undici.
//
//   node forward.js fill COUNT      puts jobs into the queue and ends
//   node forward.js send            sends them, IN_FLIGHT at once
'use strict';
const { Queue, Worker } = require('bullmq');
const { Pool } = require('undici');
const { randomUUID } = require('node:crypto');

const connection = { host: '127.0.0.1', port: Number(process.env.REDIS_PORT), maxRetriesPerRequest: null };
const inFlight = Number(process.env.IN_FLIGHT || 64);
const query = 'mutation ($input: SendSignalInput!) {\n  sendSignal(input: $input)\n}';

async function fill(count) {
    const queue = new Queue('signals', { connection });
    for (let done = 0; done < count; done += 1000) {
        const jobs = Array.from({ length: Math.min(1000, count - done) }, (_, i) => {
            const id = (done + i).toString(16).padStart(16, '0');
            return {
                name: 'signal',
                data: {
                    applicationId: id,
                    token: `bench-t${'0'.repeat(16)}-${id.padStart(32, '0')}`,
                    completedAt: new Date().toISOString(),
                },
                opts: { jobId: id, attempts: 100, backoff: { type: 'exponential', delay: 1000 }, removeOnComplete: true },
            };
        });
        await queue.addBulk(jobs);
    }
    await queue.close();
}

async function send() {
    const pool = new Pool(process.env.UPSTREAM, { connections: inFlight });
    const answer = await pool.request({ method: 'POST', path: '/oauth/token', body: '{}' });
    const { access_token: accessToken } = await answer.body.json();
    const sendSignal = async (job) => {
        const { token, completedAt } = job.data;
        const response = await pool.request({
            method: 'POST',
            path: '/graphql',
            headers: {
                authorization: `Bearer ${accessToken}`,
                'content-type': 'application/json',
                'user-agent': 'bench/1',
                'accept-language': 'en-AU',
                'x-request-id': randomUUID(),
            },
            body: JSON.stringify({
                query,
                variables: { input: { typeCode: 'ApplicationComplete', token, timestamp: completedAt } },
            }),
        });
        const body = await response.body.json();
        if (response.statusCode !== 200 || body.errors) throw new Error(JSON.stringify(body));
    };
    const worker = new Worker('signals', sendSignal, { connection, concurrency: inFlight });
    await worker.waitUntilReady();
    console.log('ready');
}

process.argv[2] === 'fill' ? fill(Number(process.argv[3])) : send();

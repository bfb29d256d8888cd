#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# BullMQ: add() with the id of a job that is there already gives back a job with data that nobody will get.
#
# Seen 2026-11-30: bullmq 6.7.0 with ioredis 6.0.0, Redis 7.0.15 (Debian 12), Node 20.
# A good guess: a job's id is any text of the caller's. For an id that is there, add() adds nothing, as documented, and shows
#   that: the job that it gives back is the stored one.
# What happens: the job that comes back has the new data, and getJob() of the same id shows the old data. That is so long
#   after the work is done too, since finished jobs stay. An id of digits alone, or with one colon, is an error, and one
#   with two colons is none.
# Why it matters: an outbox with the application's id as the job's loses each later seek-token of an application, and its log
#   says that it was added. A test with "A-1001" does not show that "1001" is refused. Set `removeOnComplete` and
#   `removeOnFail`, or make the job's id of the application's id and the seek-token, with a letter in front.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
npm_packages bullmq@6.7.0 ioredis@6.0.0
debian_packages redis-server=5:7.0.15 redis-tools=5:7.0.15
in_background redis-server --port 0 --unixsocket "$PWD/redis.sock" --save ""
redis_answers redis.sock

cat >add.mjs <<'END'
import { Queue, QueueEvents, Worker } from 'bullmq';

const connection = { path: `${process.cwd()}/redis.sock` };
const queue = new Queue('outbox', { connection });
const events = new QueueEvents('outbox', { connection });
const done = [];
const worker = new Worker('outbox', async (job) => { done.push(job.data.token); }, { connection, autorun: false });
await events.waitUntilReady();

const add = async (jobId, token, options = {}) => {
    const job = await queue.add('completed', { token }, { jobId, ...options });
    return `gives back ${job.data.token}, stored is ${(await queue.getJob(jobId)).data.token}`;
};
console.log(await add('A-1001', 'first'));
console.log(await add('A-1001', 'second'));
worker.run();
await (await queue.getJob('A-1001')).waitUntilFinished(events, 10_000);
console.log(await add('A-1001', 'third'));
for (const token of ['fourth', 'fifth']) {
    await queue.add('completed', { token }, { jobId: 'A-1002', removeOnComplete: true });
    while (await queue.getJob('A-1002')) await new Promise((resolve) => setTimeout(resolve, 50));
}
console.log(done.join(' '));
for (const jobId of ['1001', 'A:1001', 'A:1001:1'])
    console.log(await add(jobId, 'one').catch((error) => error.message));
process.exit();
END
node add.mjs >out
seen "the first" "gives back first, stored is first" "$(sed -n 1p out)"
seen "again, before the work" "gives back second, stored is first" "$(sed -n 2p out)"
seen "again, after the work" "gives back third, stored is first" "$(sed -n 3p out)"
seen "what the worker got, with removeOnComplete for the last two" "first fourth fifth" "$(sed -n 4p out)"
seen "an id of digits" "Custom Id cannot be integers" "$(sed -n 5p out)"
seen "an id with a colon" "Custom Id cannot contain :" "$(sed -n 6p out)"
seen "an id with two" "gives back one, stored is one" "$(sed -n 7p out)"
finish

// SPDX-FileCopyrightText: seek-signal contributors
// SPDX-License-Identifier: MIT
//
// A receiver of notifications made of two libraries: standardwebhooks verifies, cloudevents reads and validates. What both
// take is printed, one line of JSON each; anything else is 400, and its reason a line. The secret is the argument.
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { HTTP } from 'cloudevents';
import { Webhook } from 'standardwebhooks';

const secret = process.argv[2];
const webhook = new Webhook(secret, secret.startsWith('whsec_') ? {} : { format: 'raw' });

const server = createServer(async (request, response) => {
    const body = await text(request);
    try {
        webhook.verify(body, request.headers);
        const event = HTTP.toEvent({ headers: request.headers, body });
        event.validate();
        console.log(JSON.stringify(event));
        response.writeHead(204).end();
    } catch (error) {
        console.log(JSON.stringify({ error: error.message }));
        response.writeHead(400).end();
    }
});
server.listen(0, '127.0.0.1', () => console.log(`ready http://127.0.0.1:${server.address().port}`));

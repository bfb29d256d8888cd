// SPDX-FileCopyrightText: seek-signal contributors
// SPDX-License-Identifier: MIT
//
// One issuer of access tokens of other people's: node issuer.mjs PEER. It knows the client `client-1` with the secret in
// CLIENT_SECRET. Prints "ready PORT PATH".
import { createServer } from 'node:http';

const [peer] = process.argv.slice(2);
const host = '127.0.0.1';
const client = { id: 'client-1', secret: process.env.CLIENT_SECRET };
const listening = (server) => new Promise((done) => server.listen(0, host, () => done(server.address().port)));

const peers = {
    async 'oauth2-mock-server'() {
        const { OAuth2Server } = await import('oauth2-mock-server');
        const server = new OAuth2Server();
        await server.issuer.keys.generate('RS256');
        await server.start(undefined, host);
        return [server.address().port, '/token'];
    },
    async 'oidc-provider'() {
        const { default: Provider } = await import('oidc-provider');
        const server = createServer();
        const port = await listening(server);
        const provider = new Provider(`http://${host}:${port}`, {
            features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
            clients: [{
                client_id: client.id,
                client_secret: client.secret,
                token_endpoint_auth_method: 'client_secret_post',
                grant_types: ['client_credentials'],
                redirect_uris: [],
                response_types: [],
            }],
        });
        server.on('request', provider.callback());
        return [port, '/token'];
    },
    async '@node-oauth/oauth2-server'() {
        const { default: OAuth2Server } = await import('@node-oauth/oauth2-server');
        const { Request, Response } = OAuth2Server;
        const oauth = new OAuth2Server({
            model: {
                getClient: (id, secret) => id === client.id && secret === client.secret && { id, grants: ['client_credentials'] },
                getUserFromClient: () => ({ id: 'ats' }),
                saveToken: (token, owner, user) => ({ ...token, client: owner, user }),
            },
        });
        // As its adapters for Express and Koa do it: whatever the content type, the body is read before.
        const server = createServer((incoming, outgoing) => {
            let text = '';
            incoming.on('data', (piece) => { text += piece; });
            incoming.on('end', async () => {
                const isJson = incoming.headers['content-type']?.startsWith('application/json');
                const body = isJson ? JSON.parse(text) : Object.fromEntries(new URLSearchParams(text));
                const request = new Request({ headers: incoming.headers, method: incoming.method, query: {}, body });
                const response = new Response({ headers: {} });
                let answer;
                try {
                    await oauth.token(request, response);
                    answer = response.body;
                    outgoing.writeHead(response.status, { ...response.headers, 'content-type': 'application/json' });
                } catch (error) {
                    answer = { error: error.name, error_description: error.message };
                    outgoing.writeHead(error.code || 500, { ...response.headers, 'content-type': 'application/json' });
                }
                outgoing.end(JSON.stringify(answer));
            });
        });
        return [await listening(server), '/oauth/token'];
    },
};

const [port, path] = await peers[peer]();
process.on('SIGTERM', () => process.exit(0));
console.log(`ready ${port} ${path}`);

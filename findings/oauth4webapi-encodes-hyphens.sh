#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# oauth4webapi encodes a hyphen in the client's id, and an issuer on @node-oauth/oauth2-server does not decode it.
#
# Seen 2026-11-30: oauth4webapi 3.8.8, openid-client 6.9.0, simple-oauth2 5.1.0, @node-oauth/oauth2-server 5.3.0,
#   oidc-provider 9.13.3, Node 20.
# A good guess: with HTTP Basic, RFC 6749 §2.3.1 has id and secret encoded as in a form. URLSearchParams and its kind leave
#   letters, digits, "-", "." and "_" as they are, so "seek-ats" is sent as it is, and each issuer understands it.
# What happens: oauth4webapi, and openid-client that is built on it, send "seek%2Dats". oidc-provider decodes that. The
#   other issuer looks for a client of this name, and answers 401 invalid_client. simple-oauth2 sends the hyphen.
# Why it matters: the same credentials work with one client library and are refused with the next, and the error blames
#   the credentials. Put id and secret into the body (client_secret_post): there the encoding is never in doubt.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
npm_packages oauth4webapi@3.8.8 openid-client@6.9.0 simple-oauth2@5.1.0 @node-oauth/oauth2-server@5.3.0 oidc-provider@9.13.3

cat >ask.mjs <<'END'
import { createServer } from 'node:http';
import OAuth2Server from '@node-oauth/oauth2-server';
import * as oauth from 'oauth4webapi';
import Provider from 'oidc-provider';
import * as openid from 'openid-client';
import { ClientCredentials } from 'simple-oauth2';

const [id, secret] = ['seek-ats', 'only-for-this-finding'];
let sent; // of the last request: what was in Authorization
async function issuer(answer) {
    const server = createServer((request, response) => {
        const [, basic] = (request.headers.authorization ?? '').split(' ');
        sent = basic ? Buffer.from(basic, 'base64').toString().split(':')[0] : 'nothing';
        answer(request, response);
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${server.address().port}`;
}

const plain = new OAuth2Server({
    model: {
        getClient: async (name, word) => name === id && word === secret && { id, grants: ['client_credentials'] },
        getUserFromClient: async () => ({}),
        validateScope: async () => [],
        saveToken: async (token, client, user) => ({ ...token, scope: undefined, client, user }),
    },
});
const oauth2Server = await issuer(async (request, response) => {
    let text = '';
    for await (const part of request) text += part;
    const answer = new OAuth2Server.Response();
    const { method, headers } = request;
    const body = Object.fromEntries(new URLSearchParams(text));
    await plain.token(new OAuth2Server.Request({ method, headers, query: {}, body }), answer).catch(() => {});
    response.writeHead(answer.status, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer.body));
});
const oidcProvider = await issuer(new Provider('http://127.0.0.1', {
    features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
    clients: ['client_secret_basic', 'client_secret_post'].map((method) => ({
        client_id: method.endsWith('basic') ? id : `${id}-post`,
        client_secret: secret,
        token_endpoint_auth_method: method,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
    })),
}).callback());

for (const [name, url] of Object.entries({ 'oidc-provider': oidcProvider, 'oauth2-server': oauth2Server })) {
    const server = { issuer: url, token_endpoint: `${url}/token` };
    const result = (answer) => answer.access_token ? 'an access token' : answer.error;
    const ask = async (client, how) => {
        const answer = await oauth.clientCredentialsGrantRequest(server, { client_id: client }, how, new URLSearchParams(),
            { [oauth.allowInsecureRequests]: true });
        return result(await answer.json());
    };
    console.log(`${name}, oauth4webapi: ${await ask(id, oauth.ClientSecretBasic(secret))}, sent ${sent}`);
    const settings = new openid.Configuration(server, id, secret, openid.ClientSecretBasic(secret));
    openid.allowInsecureRequests(settings);
    const granted = await openid.clientCredentialsGrant(settings).catch((error) => error);
    console.log(`${name}, openid-client: ${result(granted)}, sent ${sent}`);
    const simple = await new ClientCredentials({ client: { id, secret }, auth: { tokenHost: url, tokenPath: '/token' } }).getToken({});
    console.log(`${name}, simple-oauth2: ${result(simple.token)}, sent ${sent}`);
    const posted = await ask(name === 'oidc-provider' ? `${id}-post` : id, oauth.ClientSecretPost(secret));
    console.log(`${name}, in the body: ${posted}, sent ${sent}`);
}
process.exit();
END
NODE_ENV=production node ask.mjs 2>warnings | grep -v NOTICE >out
line() { sed -n "s/^$1: //p" out; }
seen "oidc-provider, oauth4webapi" "an access token, sent seek%2Dats" "$(line "oidc-provider, oauth4webapi")"
seen "oidc-provider, openid-client" "an access token, sent seek%2Dats" "$(line "oidc-provider, openid-client")"
seen "oidc-provider, simple-oauth2" "an access token, sent seek-ats" "$(line "oidc-provider, simple-oauth2")"
seen "oidc-provider, in the body" "an access token, sent nothing" "$(line "oidc-provider, in the body")"
seen "oauth2-server, oauth4webapi" "invalid_client, sent seek%2Dats" "$(line "oauth2-server, oauth4webapi")"
seen "oauth2-server, openid-client" "invalid_client, sent seek%2Dats" "$(line "oauth2-server, openid-client")"
seen "oauth2-server, simple-oauth2" "an access token, sent seek-ats" "$(line "oauth2-server, simple-oauth2")"
seen "oauth2-server, in the body" "an access token, sent nothing" "$(line "oauth2-server, in the body")"
finish

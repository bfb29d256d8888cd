#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# simple-oauth2 reports the 503 of an issuer's proxy as 406, and an OAuth error with HTTP 200 as an access token.
#
# Seen 2026-11-30: simple-oauth2 5.1.0; openid-client 6.9.0, client-oauth2 4.3.3 and @badgateway/oauth2-client 3.3.1 beside
#   it, Node 20.
# A good guess: a token request that gets 503 fails with an error that has the 503, whatever the body is. A 200 without
#   `access_token` is an error too, as an access token is all that was asked for.
# What happens: with a page of HTML the error is a Boom whose output has 406 "Not Acceptable", and the message blames the
#   content type. If the 503 has JSON, the error has 503. {"error": "invalid_client"} with 200, as some issuers send it, gives
#   a token object whose access_token is undefined, and which has not expired. The others raise an error for both, or for the
#   page with its status.
# Why it matters: code that retries 5xx alone gives up during an outage of the proxy, since 406 looks final. With the other
#   answer each call has "Authorization: Bearer undefined", and the error shows at the resource. Look at
#   error.data.res.statusCode, and at token.access_token.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
npm_packages simple-oauth2@5.1.0 openid-client@6.9.0 client-oauth2@4.3.3 @badgateway/oauth2-client@3.3.1

cat >issuer.py <<'END'
import http.server

ANSWERS = {
    "page": (503, "text/html", b"<h1>Service Unavailable</h1>"),
    "json": (503, "application/json", b'{"error": "temporarily_unavailable"}'),
    "error": (200, "application/json", b'{"error": "invalid_client"}'),
    "right": (200, "application/json", b'{"access_token": "T", "token_type": "Bearer", "expires_in": 3600}'),
}

class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        status, kind, body = ANSWERS[self.path.lstrip("/")]
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
END
http_server issuer.py

cat >ask.js <<'END'
import simple from "simple-oauth2";
import * as openid from "openid-client";
import ClientOAuth2 from "client-oauth2";
import { OAuth2Client } from "@badgateway/oauth2-client";

const [library, base, path] = process.argv.slice(2);
console.error = () => {};
console.warn = () => {};
const ask = {
    async simple() {
        const client = { id: "id", secret: "s" };
        const auth = { tokenHost: base, tokenPath: path };
        const access = await new simple.ClientCredentials({ client, auth }).getToken({});
        return `${access.token.access_token}, expired: ${access.expired()}`;
    },
    async openid() {
        const server = { issuer: base, token_endpoint: base + path };
        const configuration = new openid.Configuration(server, "id", {}, openid.ClientSecretPost("s"));
        openid.allowInsecureRequests(configuration);
        return (await openid.clientCredentialsGrant(configuration)).access_token;
    },
    async client() {
        const client = new ClientOAuth2({ clientId: "id", clientSecret: "s", accessTokenUri: base + path });
        return (await client.credentials.getToken()).accessToken;
    },
    async badgateway() {
        const client = new OAuth2Client({ server: base, clientId: "id", clientSecret: "s", tokenEndpoint: path });
        return (await client.clientCredentials()).accessToken;
    },
};
try {
    console.log(await ask[library]());
} catch (error) {
    const status = error.output?.statusCode ?? error.cause?.status ?? error.status ?? error.httpCode;
    console.log(["error", status, error.output?.payload.message].filter(Boolean).join(" "));
}
END
answer_of() { node ask.js "$1" "$url" "/$2"; }

seen "simple-oauth2, 503 with a page" "error 406 The content-type is not JSON compatible" "$(answer_of simple page)"
seen "simple-oauth2, 503 with JSON" "error 503 Response Error: 503 Service Unavailable" "$(answer_of simple json)"
seen "simple-oauth2, 200 with an error" "undefined, expired: false" "$(answer_of simple error)"
seen "simple-oauth2, an access token" "T, expired: false" "$(answer_of simple right)"
for library in openid client badgateway; do
    seen "$library, 503 with a page" "error 503" "$(answer_of $library page)"
    seen "$library, 200 with an error" "error" "$(answer_of $library error)"
    seen "$library, an access token" "T" "$(answer_of $library right)"
done
finish

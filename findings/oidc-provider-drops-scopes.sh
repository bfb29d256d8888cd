#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# oidc-provider gives an access token without the scope that was asked for, and does not say so.
#
# Seen 2026-11-29: oidc-provider 9.13.3, client credentials.
# A good guess: a scope that the issuer does not know is refused with `invalid_scope`, or the answer names the scope
#   that was granted instead: RFC 6749 §5.1 requires `scope` where it is another than the one requested.
# What happens: 200 with an access token, and no `scope` in the answer; exactly as when none was asked for. A scope
#   that it knows is granted and named.
# Why it matters: a misspelt scope passes the token request, and the trouble shows only at the resource server, as
#   FORBIDDEN or 403 for every signal. Who configures a scope should compare: asked for one, and the answer names
#   none or another, is worth a line in the log at the start.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
npm_packages oidc-provider@9.13.3

cat >server.mjs <<'END'
import { createServer } from 'node:http';
import { writeFileSync } from 'node:fs';
import Provider from 'oidc-provider';

const server = createServer();
server.listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    const provider = new Provider(`http://127.0.0.1:${port}`, {
        features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
        scopes: ['signals'],
        clients: [{
            client_id: 'ats',
            client_secret: 'only-for-this-finding',
            token_endpoint_auth_method: 'client_secret_post',
            grant_types: ['client_credentials'],
            redirect_uris: [],
            response_types: [],
            scope: 'signals',
        }],
    });
    server.on('request', provider.callback());
    writeFileSync('port', String(port));
});
END
in_background node server.mjs
url=http://127.0.0.1:$(port_file port)/token

ask() {
    curl -s -o answer -w '%{http_code} ' -d grant_type=client_credentials -d client_id=ats \
        -d client_secret=only-for-this-finding "$@" "$url"
    # shellcheck disable=SC2016 # JavaScript's own dollar signs
    node -p 'const a = JSON.parse(require("fs").readFileSync("answer")); `${Object.keys(a).join(" ")}; scope: ${a.scope}`'
}

seen "a scope it knows" "200 access_token expires_in scope token_type; scope: signals" "$(ask -d scope=signals)"
seen "no scope" "200 access_token expires_in token_type; scope: undefined" "$(ask)"
seen "a scope it does not know" "200 access_token expires_in token_type; scope: undefined" "$(ask -d scope=signal)"
finish

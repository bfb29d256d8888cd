#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# oauth2-mock-server refuses with a problem document, not with OAuth's `error`; and takes what a real issuer refuses.
#
# Seen 2026-11-29: oauth2-mock-server 9.3.0.
# A good guess: a stand-in for an issuer answers errors as RFC 6749 §5.2 has them, {"error": "unsupported_grant_type"},
#   and takes only a form, since a real issuer does.
# What happens: an unknown grant type gets 400 application/problem+json with `type`, `title`, `detail` and no `error`;
#   a JSON body gets an access token.
# Why it matters: code that was tested against it alone has never seen `error`, so that `invalid_client` (an operator's
#   case) and a passing trouble look the same; and a token request in the wrong form passes every test until it meets
#   the real issuer. A client should read `error` where it is and fall back to the status, never require it.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
npm_packages oauth2-mock-server@9.3.0

cat >server.mjs <<'END'
import { writeFileSync } from 'node:fs';
import { OAuth2Server } from 'oauth2-mock-server';

const server = new OAuth2Server();
await server.issuer.keys.generate('RS256');
await server.start(undefined, '127.0.0.1');
writeFileSync('port', String(server.address().port));
END
in_background node server.mjs
url=http://127.0.0.1:$(port_file port)/token

ask() { curl -s -o answer -w '%{http_code} %{content_type}' -H "Content-Type: $1" -d "$2" "$url"; }
members() { node -p 'Object.keys(JSON.parse(require("fs").readFileSync("answer"))).join(" ")'; }
form=application/x-www-form-urlencoded

seen "a form" "200 application/json; charset=utf-8" "$(ask $form grant_type=client_credentials)"
seen "its members" "access_token token_type expires_in" "$(members)"
seen "unknown grant type" "400 application/problem+json; charset=utf-8" "$(ask $form grant_type=unheard_of)"
seen "its members" "type title detail" "$(members)"
seen "JSON" "200 application/json; charset=utf-8" "$(ask application/json '{"grant_type": "client_credentials"}')"
seen "its members" "access_token token_type expires_in" "$(members)"
finish

#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# Clients that parse JSON by themselves leave application/problem+json as text.
#
# Seen 2026-11-29: needle 3.5.0 (npm), ruby-httparty 0.21.0 and r-cran-httr 1.4.5 (Debian 12).
# A good guess: a client that turns application/json into an object does so for everything that ends in +json
#   (RFC 6839); most do.
# What happens: needle and HTTParty hand over a string, httr raw bytes, where the same answer as application/json is an
#   object. No error is raised.
# Why it matters: `answer.body.retryable` is undefined exactly for the errors, so that code which asks it never retries.
#   The status alone has to suffice to decide (429 and 503: again), and samples should parse the body themselves.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
npm_packages needle@3.5.0
debian_packages ruby-httparty=0.21.0 r-cran-httr=1.4.5

cat >post.mjs <<'END'
import needle from 'needle';
const { body } = await needle('post', process.argv[2], { applicationId: 'A-1001' }, { json: true });
console.log(typeof body);
END
ask() {
    answering "HTTP/1.1 503 Away\r\nContent-Type: $1\r\nContent-Length: 18\r\n\r\n{\"retryable\":true}"
    echo "$(node post.mjs "$url"), $(ruby -W0 -rhttparty -e 'puts HTTParty.post(ARGV[0], body: "{}").parsed_response.class' "$url"), $(
        Rscript -e 'cat(class(httr::content(httr::POST(commandArgs(TRUE)[1], body = "{}"))))' "$url" 2>/dev/null
    )"
}
seen "application/json" "object, Hash, list" "$(ask application/json)"
seen "application/problem+json" "string, String, raw" "$(ask application/problem+json)"
finish

#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# libcurl sends POSTs a second time, without a word, because another answer on their HTTP/2 connection has a long head.
#
# Seen 2026-11-30: libcurl 7.88.1 (Debian 12), as the program curl with --parallel; the server is Node.js 20.20.2.
# A good guess: an answer whose head is longer than the client takes fails its own transfer. The other streams of the
#   connection go on, or fail with it; a POST that was sent in full and not refused is not sent again by itself.
# What happens: the connection is given up. The transfer that happens to read it has an error message; all others, and
#   the one with the long head, are sent again over a new connection, as after REFUSED_STREAM. The server has each POST
#   twice, and the program ends those with 200 and without a message. Over HTTP/1.1, where that head
#   is none too long, each comes once.
# Why it matters: who counts on libcurl to repeat only what a server surely did not process makes duplicates of what is in
#   progress, when one proxy or server in the way sends a head of 200 KB. A worker has to notice each sending
#   (CURLOPT_PREREQFUNCTION), and to call something refused only if no transfer of that connection has failed with words.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
debian_packages curl=7.88.1 libcurl4=7.88.1

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
    -addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out cert.pem 2>/dev/null
cat >server.mjs <<'END'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createSecureServer } from 'node:http2';

const server = createSecureServer({
    key: readFileSync('key.pem'), cert: readFileSync('cert.pem'), allowHTTP1: true, maxSendHeaderBlockLength: 1 << 20,
});
const lines = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`x-line-${n}`, 'x'.repeat(4000)]));
server.on('request', (request, response) => {
    appendFileSync('requests', `${request.url}\n`);
    response.on('error', () => {});
    const isLarge = request.url === '/large';
    setTimeout(() => {
        if (response.destroyed || response.stream?.destroyed) return;
        response.writeHead(200, isLarge ? lines : {});
        response.end();
    }, request.url === '/quick' ? 0 : isLarge ? 500 : 1500);
});
server.on('sessionError', () => {});
server.listen(0, '127.0.0.1', () => writeFileSync('port', String(server.address().port)));
END
in_background node server.mjs
url=https://127.0.0.1:$(port_file port)

# How often each came, and how each ended. /quick opens the connection that the others share.
post_all() {
    rm -f requests
    curl --no-progress-meter --parallel "$1" --cacert cert.pem --data x --write-out '%{url_effective} %{http_code}\n' \
        "$url/quick" "$url/slow" "$url/large" "$url/slower" 2>curl.log | sed "s,$url,," | sort | tr '\n' ' ' >ends || true
    came=$(sort requests | uniq -c | awk '{print $2, $1}' | tr '\n' ' ')
}

post_all --http2
seen "HTTP/2, how often each came" "/large 2 /quick 1 /slow 2 /slower 2 " "$came"
seen "HTTP/2, the others' ends" "/quick 200 /slow 200 /slower 200 " "$(grep -o '/\(quick\|slow\|slower\) [0-9]* ' ends | tr -d '\n')"
post_all --http1.1
seen "HTTP/1.1, how often each came" "/large 1 /quick 1 /slow 1 /slower 1 " "$came"
seen "HTTP/1.1, the ends" "/large 200 /quick 200 /slow 200 /slower 200 " "$(cat ends)"
finish

/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The identity of a request's client, by the certificate that it shows.
 *
 * Owns: nothing. Threads: one, the server's. Blocks: never.
 */
#pragma once

struct http_request;

enum http_peer {
    HTTP_PEER_UNKNOWN,  /* it shows no certificate */
    HTTP_PEER_VERIFIED, /* tls_server.h */
    HTTP_PEER_REFUSED,
};
enum { HTTP_PEER_REASON_BYTES = 256 };
/* By the client's certificate, looked at once for each connection. `reason`: of a refusal; "". */
enum http_peer http_request_peer(struct http_request *request, char reason[HTTP_PEER_REASON_BYTES]);

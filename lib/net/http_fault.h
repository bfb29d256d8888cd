/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Misbehaviour on purpose, for stand-ins of other servers: no part of what the service itself does.
 *
 * Owns: nothing. Threads: one, the server's.
 * Blocks: http_request_reply_large_head until its peer has read, a second at most; nothing else.
 */
#pragma once

#include "lib/net/http_server.h"

/* Instead of a reply. */
enum http_fault {
    HTTP_FAULT_RESET,       /* RST, nothing sent */
    HTTP_FAULT_CLOSE,       /* FIN, nothing sent */
    HTTP_FAULT_CUT_BODY,    /* the head and half of the reply's body, then RST */
    HTTP_FAULT_CLOSE_AFTER, /* the reply of a connection that stays, then FIN */
};
void http_request_fail(struct http_request *request, enum http_fault fault,
                       const struct http_reply *reply /* for CUT_BODY, CLOSE_AFTER */);
/* The reply with so many bytes more in a line of its head, then FIN: more than libmicrohttpd has
 * room for. Over TLS FIN alone. */
void http_request_reply_large_head(struct http_request *request, const struct http_reply *reply,
                                   size_t bytes);

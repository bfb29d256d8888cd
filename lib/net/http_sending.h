/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The decision whether libcurl may send a request now; libcurl asks right before each sending.
 *
 * Owns: nothing. Threads: the transfer's. Blocks: never.
 */
#pragma once

#include <stdbool.h>

struct http_easy;

/* A curl_prereq_callback; `context` is the struct http_easy. */
int http_sending_may_begin(void *context, char *peer, char *own, int peer_port, int own_port);

/* Whether the connection that its request went over has failed another transfer: an HTTP/2 session
 * that ends without words has not refused this one then, it is gone. */
bool http_sending_is_connection_broken(const struct http_easy *easy);
/* The transfer ends, with this CURLcode: those who share its connection may ask later. */
void http_sending_note_end(const struct http_easy *easy, int code);

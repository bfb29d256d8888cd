/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The decision whether libcurl may send a request now; libcurl asks right before each sending.
 *
 * Owns: nothing. Threads: the transfer's. Blocks: never.
 */
#pragma once

/* A curl_prereq_callback; `context` is the struct http_easy. */
int http_sending_may_begin(void *context, char *peer, char *own, int peer_port, int own_port);

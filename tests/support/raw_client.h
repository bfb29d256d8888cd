/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * A client of bytes, not of HTTP: sends whatever it is told, as slowly as it is told, and may
 * vanish. While it waits it lets the server under test turn, which lives in the same thread.
 *
 * Owns:    its socket and what it has received.
 * Threads: one at a time.
 * Blocks:  up to RAW_WAIT_MS_MAX in the functions that wait; then the test fails.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RAW_WAIT_MS_MAX = 10000, RAW_BYTES_MAX = 256 * 1024 };

enum raw_end { RAW_OPEN, RAW_CLOSED, RAW_RESET };

struct raw_client {
    int fd; /* -1: closed here */
    void (*serve)(void *context);
    void *context;
    enum raw_end end; /* what the peer did */
    size_t length;
    char bytes[RAW_BYTES_MAX + 1]; /* not consumed yet; NUL-terminated */
};

/* On the heap: it is big for a stack. `serve` gives the server a turn of a few milliseconds. */
struct raw_client *raw_client_open(uint16_t port, void (*serve)(void *context), void *context);
struct raw_client *raw_client_open_unix(const char *path, void (*serve)(void *context),
                                        void *context);
void raw_client_destroy(struct raw_client *client);

void raw_client_send(struct raw_client *client, const char *text);
void raw_client_send_bytes(struct raw_client *client, const char *bytes, size_t length);
/* One byte, one turn of the server, and so on. */
void raw_client_send_slowly(struct raw_client *client, const char *text);
void raw_client_end_sending(struct raw_client *client);
/* Closes with a RST. */
void raw_client_vanish(struct raw_client *client);

/* Takes what is there now and fits into `bytes`, without waiting. */
void raw_client_receive(struct raw_client *client);
/* One whole answer, head and body by Content-Length (none for `HEAD`), taken out of `bytes`; valid
 * until the next call. */
const char *raw_client_answer(struct raw_client *client);
const char *raw_client_answer_to_head(struct raw_client *client);
/* The status of the next answer, for those who do not care about the rest. */
int raw_client_status(struct raw_client *client);
/* Waits until the peer has closed, and says how. */
enum raw_end raw_client_wait_end(struct raw_client *client);

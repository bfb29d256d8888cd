/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * A real redis-server for a test: in a temporary directory of its own, on a unix socket and, if
 * asked for, a TCP port of the loopback. Every call aborts the test with a message when it cannot
 * do its work.
 *
 * Owns:    the child process and the directory. The child dies with the test.
 * Threads: one at a time.
 * Blocks:  until the server answers, for at most ten seconds.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "lib/base/ownership.h"
#include "lib/net/redis_client.h"

struct redis_server;

/* All listen on a unix socket too. The certificate of REDIS_SERVER_TLS is for 127.0.0.1 and
 * localhost. */
enum redis_server_listen { REDIS_SERVER_UNIX, REDIS_SERVER_TCP, REDIS_SERVER_TLS };

/* `arguments` are added to the command line, closed by NULL; NULL: none. They are copied. Without
 * any, nothing is kept on disk. */
struct redis_server *redis_server_start(enum redis_server_listen listen,
                                        const char *const arguments[]);
void redis_server_stop(struct redis_server *server); /* removes the directory too; accepts NULL */
static inline void redis_server_destroy(struct redis_server *server)
{
    redis_server_stop(server);
}
DEFINE_AUTO(redis_server);

void redis_server_url(const struct redis_server *server, struct redis_url *out);
const char *redis_server_socket(const struct redis_server *server);
const char *redis_server_directory(const struct redis_server *server);
uint16_t redis_server_port(const struct redis_server *server);       /* 0 for REDIS_SERVER_UNIX */
const char *redis_server_ca_file(const struct redis_server *server); /* for REDIS_SERVER_TLS */
pid_t redis_server_pid(const struct redis_server *server);

void redis_server_kill(struct redis_server *server);    /* kill -9, and waits for the end */
void redis_server_restart(struct redis_server *server); /* same directory, port and arguments */
void redis_server_freeze(
    struct redis_server *server); /* SIGSTOP: connections stay, nothing answers */
void redis_server_thaw(struct redis_server *server); /* SIGCONT */
/* As when the network breaks: shuts down what this process has open to the unix socket. */
void redis_server_cut(const struct redis_server *server);

/* What `redis-cli` prints for this command line (read by a shell), without the last newline; valid
 * until the next call. */
const char *redis_cli(const char *socket_path, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
const char *redis_server_cli(struct redis_server *server, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

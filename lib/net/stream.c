/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/net/stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct stream {
    int fd;
    bool is_connected;
    bool wants_write;
    struct tls *tls; /* owned; NULL: plain */
};

/* Best effort: a connection without these works too. */
static void tune(int fd, int family)
{
    const int on = 1;
    if (family == AF_UNIX)
        return;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

struct stream *stream_connect(const struct sockaddr *address, socklen_t length, struct error *error)
{
    struct stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL) {
        (void)error_out_of_memory(error);
        return NULL;
    }
    stream->fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (stream->fd < 0) {
        (void)error_set(error, ERROR_IO, "socket: %s", strerrordesc_np(errno));
        goto fail;
    }
    tune(stream->fd, address->sa_family);
    stream->wants_write = true;
    if (connect(stream->fd, address, length) != 0 && errno != EINPROGRESS) {
        (void)error_set(error, ERROR_IO, "connect: %s", strerrordesc_np(errno));
        goto fail;
    }
    return stream;
fail:
    stream_destroy(stream);
    return NULL;
}

void stream_destroy(struct stream *stream)
{
    if (stream == NULL)
        return;
    tls_destroy(stream->tls);
    if (stream->fd >= 0)
        (void)close(stream->fd);
    free(stream);
}

bool stream_secure(struct stream *stream, const char *host, const char *ca_file,
                   struct error *error)
{
    stream->tls = tls_create(stream->fd, host, ca_file, error);
    return stream->tls != NULL;
}

static enum stream_status finish_connect(struct stream *stream, struct error *error)
{
    /* SO_ERROR says 0 both for "connected" and for "not yet", so ask whether it is over first. */
    struct pollfd socket_state = {.fd = stream->fd, .events = POLLOUT};
    if (poll(&socket_state, 1, 0) <= 0)
        return STREAM_AGAIN;
    int code = 0;
    socklen_t length = sizeof code;
    if (getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &code, &length) != 0)
        code = errno;
    if (code != 0) {
        (void)error_set(error, ERROR_IO, "connect: %s", strerrordesc_np(code));
        return STREAM_FAILED;
    }
    stream->is_connected = true;
    return STREAM_DONE;
}

enum stream_status stream_open(struct stream *stream, struct error *error)
{
    if (!stream->is_connected) {
        enum stream_status connected = finish_connect(stream, error);
        if (connected != STREAM_DONE)
            return connected;
    }
    if (stream->tls != NULL)
        return tls_handshake(stream->tls, &stream->wants_write, error);
    stream->wants_write = false;
    return STREAM_DONE;
}

static enum stream_status failure(const char *call, struct error *error)
{
    if (errno == EAGAIN || errno == EINTR)
        return STREAM_AGAIN;
    (void)error_set(error, ERROR_IO, "%s: %s", call, strerrordesc_np(errno));
    return STREAM_FAILED;
}

enum stream_status stream_read(struct stream *stream, char *bytes, size_t size, size_t *out_length,
                               struct error *error)
{
    if (stream->tls != NULL)
        return tls_read(stream->tls, bytes, size, out_length, error);
    ssize_t got = recv(stream->fd, bytes, size, 0);
    if (got < 0)
        return failure("read", error);
    *out_length = (size_t)got;
    return got == 0 ? STREAM_ENDED : STREAM_DONE;
}

enum stream_status stream_write(struct stream *stream, const char *bytes, size_t length,
                                size_t *out_length, struct error *error)
{
    if (stream->tls != NULL)
        return tls_write(stream->tls, bytes, length, out_length, error);
    ssize_t put = send(stream->fd, bytes, length, MSG_NOSIGNAL);
    if (put < 0)
        return failure("write", error);
    *out_length = (size_t)put;
    return STREAM_DONE;
}

int stream_fd(const struct stream *stream)
{
    return stream->fd;
}

bool stream_wants_write(const struct stream *stream)
{
    return stream->wants_write;
}

/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/net/stream.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/net/event_loop.h"

struct stream {
    struct event_loop *loop; /* borrowed: outlives us */
    int fd;
    unsigned wanted; /* what the loop looks out for */
    unsigned ready;  /* what it found, as far as it is not used up */
    bool is_connected;
    struct tls *tls; /* owned; NULL: plain */
};

/* --- watching --- */

static void note_ready(void *context, unsigned events)
{
    ((struct stream *)context)->ready |= events;
}

static bool watch(struct stream *stream, unsigned events, struct error *error)
{
    assert(stream->fd >= 0);
    if (stream->wanted == events)
        return true;
    stream->wanted = events;
    return event_loop_watch(stream->loop, stream->fd, events, note_ready, stream, error);
}

static enum stream_status wait_for(struct stream *stream, unsigned events, struct error *error)
{
    return watch(stream, events, error) ? STREAM_AGAIN : STREAM_FAILED;
}

bool stream_is_readable(const struct stream *stream)
{
    return (stream->ready & EVENT_READ) != 0;
}

bool stream_is_writable(const struct stream *stream)
{
    return (stream->ready & EVENT_WRITE) != 0;
}

/* --- connecting --- */

/* With a linger of no time close() resets the connection: what the peer has not acknowledged by
 * then is thrown away. Else the kernel goes on sending it for minutes, and when the network is back
 * it arrives behind what was sent anew. It holds for a process that is killed too. */
static void set_reset_by_close(int fd, bool is_reset)
{
    const struct linger linger = {.l_onoff = is_reset, .l_linger = 0};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

/* Best effort: a connection without these works too. */
static void tune(int fd, int family)
{
    const int on = 1;
    if (family == AF_UNIX)
        return;
    set_reset_by_close(fd, true);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

struct stream *stream_connect(struct event_loop *loop, const struct sockaddr *address,
                              socklen_t length, struct error *error)
{
    struct stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL) {
        (void)error_out_of_memory(error);
        return NULL;
    }
    stream->loop = loop;
    stream->fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (stream->fd < 0) {
        (void)error_set(error, ERROR_IO, "socket: %s", strerrordesc_np(errno));
        goto fail;
    }
    tune(stream->fd, address->sa_family);
    if (connect(stream->fd, address, length) != 0 && errno != EINPROGRESS) {
        (void)error_set(error, ERROR_IO, "connect: %s", strerrordesc_np(errno));
        goto fail;
    }
    if (!watch(stream, EVENT_WRITE, error))
        goto fail;
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
    if (stream->fd >= 0) {
        event_loop_forget(stream->loop, stream->fd);
        (void)close(stream->fd);
    }
    free(stream);
}

void stream_finish(struct stream *stream)
{
    set_reset_by_close(stream->fd, false);
}

bool stream_is_connected(const struct stream *stream)
{
    return stream->is_connected;
}

bool stream_secure(struct stream *stream, const char *host, const struct tls_files *files,
                   struct error *error)
{
    assert(stream->tls == NULL && !stream->is_connected);
    stream->tls = tls_create(stream->fd, host, files, error);
    return stream->tls != NULL;
}

static enum stream_status finish_connect(struct stream *stream, struct error *error)
{
    assert(!stream->is_connected);
    /* SO_ERROR says 0 both for "connected" and for "not yet". */
    if (!stream_is_writable(stream))
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
    bool wants_write = false;
    enum stream_status status =
        stream->tls != NULL ? tls_handshake(stream->tls, &wants_write, error) : STREAM_DONE;
    if (status == STREAM_AGAIN)
        return wait_for(stream, wants_write ? EVENT_WRITE : EVENT_READ, error);
    if (status != STREAM_DONE)
        return status;
    /* Both are worth a try: what the peer says without being asked is seen before the first write.
     */
    stream->ready = EVENT_READ | EVENT_WRITE;
    return watch(stream, EVENT_READ, error) ? STREAM_DONE : STREAM_FAILED;
}

/* --- talking --- */

static enum stream_status failure(const char *call, struct error *error)
{
    if (errno == EAGAIN || errno == EINTR)
        return STREAM_AGAIN;
    (void)error_set(error, ERROR_IO, "%s: %s", call, strerrordesc_np(errno));
    return STREAM_FAILED;
}

static enum stream_status receive_some(struct stream *stream, char *bytes, size_t size,
                                       size_t *out_length, struct error *error)
{
    if (stream->tls != NULL)
        return tls_read(stream->tls, bytes, size, out_length, error);
    ssize_t got = recv(stream->fd, bytes, size, 0);
    if (got < 0)
        return failure("read", error);
    *out_length = (size_t)got;
    return got == 0 ? STREAM_ENDED : STREAM_DONE;
}

enum stream_status stream_read(struct stream *stream, char *bytes, size_t size, size_t *out_length,
                               struct error *error)
{
    assert(stream->is_connected && size > 0);
    enum stream_status status = receive_some(stream, bytes, size, out_length, error);
    assert(status != STREAM_DONE || *out_length <= size);
    if (status == STREAM_AGAIN || (status == STREAM_DONE && *out_length < size))
        stream->ready &= ~(unsigned)EVENT_READ;
    return status;
}

static enum stream_status send_some(struct stream *stream, const char *bytes, size_t length,
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

enum stream_status stream_write(struct stream *stream, const char *bytes, size_t length,
                                size_t *out_length, struct error *error)
{
    assert(stream->is_connected && length > 0);
    if (!stream_is_writable(stream))
        return STREAM_AGAIN;
    enum stream_status status = send_some(stream, bytes, length, out_length, error);
    if (status == STREAM_AGAIN) {
        stream->ready &= ~(unsigned)EVENT_WRITE;
        return wait_for(stream, EVENT_READ | EVENT_WRITE, error);
    }
    assert(status != STREAM_DONE || *out_length <= length);
    if (status == STREAM_DONE && *out_length == length && !watch(stream, EVENT_READ, error))
        return STREAM_FAILED;
    return status;
}

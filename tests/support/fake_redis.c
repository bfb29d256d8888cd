/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "tests/support/fake_redis.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WITHIN_MS = 10000 };

struct fake_redis {
    int listener, connection;
    uint16_t port;
    char heard[1 << 20];
    size_t heard_length;
};

static void must(bool is_fine, const char *what)
{
    if (is_fine)
        return;
    perror(what);
    abort();
}

static void must_be_readable(int fd, const char *what)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    must(poll(&poll_fd, 1, WITHIN_MS) == 1, what);
}

struct fake_redis *fake_redis_start(void)
{
    struct fake_redis *fake = calloc(1, sizeof *fake);
    must(fake != NULL, "calloc");
    fake->connection = -1;
    fake->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    must(bind(fake->listener, (const struct sockaddr *)&address, length) == 0, "bind");
    must(listen(fake->listener, 16) == 0, "listen");
    must(getsockname(fake->listener, (struct sockaddr *)&address, &length) == 0, "getsockname");
    fake->port = ntohs(address.sin_port);
    return fake;
}

void fake_redis_stop(struct fake_redis *fake)
{
    if (fake == NULL)
        return;
    fake_redis_hang_up(fake);
    (void)close(fake->listener);
    free(fake);
}

void fake_redis_url(const struct fake_redis *fake, struct redis_url *out)
{
    *out = (struct redis_url){.scheme = REDIS_TCP, .host = "127.0.0.1", .port = fake->port};
}

void fake_redis_accept(struct fake_redis *fake)
{
    fake_redis_hang_up(fake);
    must_be_readable(fake->listener, "nobody connects");
    fake->connection = accept4(fake->listener, NULL, NULL, SOCK_CLOEXEC);
    must(fake->connection >= 0, "accept");
    fake->heard_length = 0;
}

void fake_redis_must_hear(struct fake_redis *fake, const char *text)
{
    size_t length = strlen(text);
    char *at;
    while ((at = memmem(fake->heard, fake->heard_length, text, length)) == NULL) {
        must_be_readable(fake->connection, text);
        ssize_t got = recv(fake->connection, fake->heard + fake->heard_length,
                           sizeof fake->heard - fake->heard_length, 0);
        must(got > 0, text);
        fake->heard_length += (size_t)got;
    }
    size_t used = (size_t)(at - fake->heard) + length;
    fake->heard_length -= used;
    memmove(fake->heard, fake->heard + used, fake->heard_length);
}

size_t fake_redis_count(struct fake_redis *fake, const char *text)
{
    ssize_t got;
    while ((got = recv(fake->connection, fake->heard + fake->heard_length,
                       sizeof fake->heard - fake->heard_length, MSG_DONTWAIT)) > 0)
        fake->heard_length += (size_t)got;
    size_t count = 0, length = strlen(text);
    const char *end = fake->heard + fake->heard_length, *at = fake->heard;
    while ((at = memmem(at, (size_t)(end - at), text, length)) != NULL) {
        count++;
        at += length;
    }
    fake->heard_length = 0;
    return count;
}

void fake_redis_say(struct fake_redis *fake, const char *bytes, size_t length)
{
    must(send(fake->connection, bytes, length, MSG_NOSIGNAL) == (ssize_t)length, "send");
}

void fake_redis_say_text(struct fake_redis *fake, const char *text)
{
    fake_redis_say(fake, text, strlen(text));
}

void fake_redis_hang_up(struct fake_redis *fake)
{
    if (fake->connection >= 0)
        (void)close(fake->connection);
    fake->connection = -1;
}

int fake_redis_end(struct fake_redis *fake)
{
    ssize_t got;
    do {
        must_be_readable(fake->connection, "it is not closed");
        got = recv(fake->connection, fake->heard, sizeof fake->heard, 0);
    } while (got > 0);
    return got == 0 ? 0 : errno;
}

void fake_redis_reset(struct fake_redis *fake)
{
    const struct linger linger = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(fake->connection, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    fake_redis_hang_up(fake);
}

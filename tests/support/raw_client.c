/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "tests/support/raw_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/clock.h"

#include "tests/support/specification.h"

static struct raw_client *open_socket(const struct sockaddr *name, socklen_t length)
{
    struct raw_client *client = calloc(1, sizeof *client);
    assert_non_null(client);
    client->fd = socket(name->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(client->fd >= 0);
    /* The kernel completes the connection: the server need not have accepted it. */
    assert_int_equal(connect(client->fd, name, length), 0);
    return client;
}

struct raw_client *raw_client_open(uint16_t port, void (*serve)(void *context), void *context)
{
    const struct sockaddr_in name = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct raw_client *client = open_socket((const void *)&name, sizeof name);
    client->serve = serve;
    client->context = context;
    return client;
}

struct raw_client *raw_client_open_unix(const char *path, void (*serve)(void *context),
                                        void *context)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    assert_true(strlen(path) < sizeof name.sun_path);
    strcpy(name.sun_path, path);
    struct raw_client *client = open_socket((const void *)&name, sizeof name);
    client->serve = serve;
    client->context = context;
    return client;
}

void raw_client_destroy(struct raw_client *client)
{
    if (client->fd >= 0)
        (void)close(client->fd);
    free(client);
}

void raw_client_send(struct raw_client *client, const char *text)
{
    raw_client_send_bytes(client, text, strlen(text));
}

/* A peer that has closed is what some tests are about, so a broken pipe is no failure here. */
void raw_client_send_bytes(struct raw_client *client, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(client->fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno != EAGAIN)
            return;
        if (sent < 0) {
            client->serve(client->context);
            continue;
        }
        bytes += sent;
        length -= (size_t)sent;
    }
}

void raw_client_send_slowly(struct raw_client *client, const char *text)
{
    for (; *text != '\0'; text++) {
        raw_client_send_bytes(client, text, 1);
        client->serve(client->context);
    }
}

void raw_client_end_sending(struct raw_client *client)
{
    assert_int_equal(shutdown(client->fd, SHUT_WR), 0);
}

void raw_client_vanish(struct raw_client *client)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    assert_int_equal(setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    (void)close(client->fd);
    client->fd = -1;
}

void raw_client_receive(struct raw_client *client)
{
    while (client->end == RAW_OPEN && client->length < RAW_BYTES_MAX) {
        ssize_t count = recv(client->fd, client->bytes + client->length,
                             RAW_BYTES_MAX - client->length, MSG_DONTWAIT);
        if (count < 0 && errno == EAGAIN)
            return;
        if (count > 0) {
            client->length += (size_t)count;
            client->bytes[client->length] = '\0';
        } else {
            client->end = count == 0 ? RAW_CLOSED : RAW_RESET;
        }
    }
}

/* The length of the first whole answer in `bytes`, 0 while there is none. */
static size_t answer_length(const struct raw_client *client, bool has_body)
{
    const char *blank = strstr(client->bytes, "\r\n\r\n");
    if (blank == NULL)
        return 0;
    size_t head = (size_t)(blank - client->bytes) + 4;
    const char *field = strstr(client->bytes, "Content-Length: ");
    size_t body = has_body && field != NULL && field < blank
                      ? strtoul(field + strlen("Content-Length: "), NULL, 10)
                      : 0;
    return head + body <= client->length ? head + body : 0;
}

static const char *take_answer(struct raw_client *client, bool has_body)
{
    static char answer[RAW_BYTES_MAX + 1];
    int64_t until_ms = clock_monotonic_ms() + RAW_WAIT_MS_MAX;
    raw_client_receive(client);
    size_t length;
    while ((length = answer_length(client, has_body)) == 0) {
        if (client->end != RAW_OPEN || client->length == RAW_BYTES_MAX ||
            clock_monotonic_ms() > until_ms)
            fail_msg("no answer, but \"%s\" (end %d)", client->bytes, (int)client->end);
        client->serve(client->context);
        raw_client_receive(client);
    }
    memcpy(answer, client->bytes, length);
    answer[length] = '\0';
    client->length -= length;
    memmove(client->bytes, client->bytes + length, client->length + 1);
    return answer;
}

const char *raw_client_answer(struct raw_client *client)
{
    return take_answer(client, true);
}

const char *raw_client_answer_to_head(struct raw_client *client)
{
    return take_answer(client, false);
}

int raw_client_status(struct raw_client *client)
{
    static const char version[] = "HTTP/1.1 ";
    const char *answer = raw_client_answer(client);
    assert_memory_equal(answer, version, sizeof version - 1);
    return atoi(answer + sizeof version - 1);
}

enum raw_end raw_client_wait_end(struct raw_client *client)
{
    int64_t until_ms = clock_monotonic_ms() + RAW_WAIT_MS_MAX;
    for (;;) {
        raw_client_receive(client);
        if (client->end != RAW_OPEN)
            return client->end;
        if (clock_monotonic_ms() > until_ms)
            fail_msg("the connection stays open");
        client->serve(client->context);
    }
}

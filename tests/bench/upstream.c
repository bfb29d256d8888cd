/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * SEEK at its fastest: takes every access token request and every signal, after a fixed delay. The
 * sandbox checks and keeps what it gets, which costs more than a signal costs the service; measured
 * against this, the figures are the service's.
 *
 *   upstream DELAY_MS            prints its port
 *   GET /stats                   signals so far, when the first and the last came, latencies of
 *                                those whose seek-token says when they were posted ("bench-t" and
 *                                the monotonic time in ns, sixteen hexadecimal digits)
 *   POST /reset                  forgets them
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { FDS_MAX = 8192, REQUEST_BYTES_MAX = 16 * 1024, LATENCIES_MAX = 1 << 20 };

struct upstream_connection {
    size_t got;
    char bytes[REQUEST_BYTES_MAX];
};

static struct upstream_connection *connections[FDS_MAX]; /* by descriptor */

/* Answers that wait, in their order, which is that of their times: the delay is the same. */
static struct {
    int fd;
    int64_t at_ns;
} waiting[FDS_MAX];
static size_t waiting_first, waiting_count;

static int64_t delay_ns;
static struct {
    uint64_t signals;
    int64_t first_ns, last_ns;
    size_t latency_count;
} seen;
static float latencies_us[LATENCIES_MAX];

static const char signal_answer[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                                    "Content-Length: 28\r\n\r\n{\"data\":{\"sendSignal\":true}}";
static const char token_answer[] =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 89\r\n\r\n"
    "{\"access_token\":\"bench-access-token-0123456789\",\"token_type\":\"Bearer\","
    "\"expires_in\":86400}";

static int64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void send_all(int fd, const char *bytes, size_t length)
{
    /* Small against the socket's buffer; one that is full belongs to a peer that does not read. */
    (void)!send(fd, bytes, length, MSG_NOSIGNAL);
}

/* ---- what was seen ---- */

static int ascending(const void *a, const void *b)
{
    float left = *(const float *)a, right = *(const float *)b;
    return (left > right) - (left < right);
}

static double percentile(double share)
{
    size_t index = (size_t)(share * (double)seen.latency_count);
    if (seen.latency_count == 0)
        return 0;
    return (double)latencies_us[index < seen.latency_count ? index : seen.latency_count - 1];
}

static void answer_stats(int fd)
{
    char body[400], answer[600];
    qsort(latencies_us, seen.latency_count, sizeof *latencies_us, ascending);
    int length =
        snprintf(body, sizeof body,
                 "{\"now_ns\": %" PRId64 ", \"signals\": %" PRIu64 ", \"first_ns\": %" PRId64
                 ", \"last_ns\": %" PRId64
                 ", \"latencies\": %zu, \"p50_us\": %.1f, \"p99_us\": %.1f, \"max_us\": %.1f}",
                 now_ns(), seen.signals, seen.first_ns, seen.last_ns, seen.latency_count,
                 percentile(0.5), percentile(0.99), percentile(1));
    int total = snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s",
                         length, body);
    send_all(fd, answer, (size_t)total);
}

static void note_signal(const char *body, size_t length)
{
    static const char mark[] = "bench-t";
    int64_t now = now_ns();
    if (seen.signals++ == 0)
        seen.first_ns = now;
    seen.last_ns = now;
    const char *at = memmem(body, length, mark, sizeof mark - 1);
    if (at == NULL || seen.latency_count == LATENCIES_MAX)
        return;
    char digits[17] = "";
    memcpy(digits, at + sizeof mark - 1, 16);
    int64_t posted_ns = (int64_t)strtoull(digits, NULL, 16);
    if (posted_ns > 0)
        latencies_us[seen.latency_count++] = (float)(now - posted_ns) / 1000;
}

/* ---- requests ---- */

static void answer_signal(int fd)
{
    if (delay_ns == 0) {
        send_all(fd, signal_answer, sizeof signal_answer - 1);
        return;
    }
    size_t slot = (waiting_first + waiting_count++) % FDS_MAX;
    waiting[slot].fd = fd;
    waiting[slot].at_ns = now_ns() + delay_ns;
}

static void answer_due(void)
{
    int64_t now = now_ns();
    for (; waiting_count > 0 && waiting[waiting_first].at_ns <= now; waiting_count--) {
        send_all(waiting[waiting_first].fd, signal_answer, sizeof signal_answer - 1);
        waiting_first = (waiting_first + 1) % FDS_MAX;
    }
}

static void answer(int fd, const char *request, const char *body, size_t body_length)
{
    if (strncmp(request, "GET /stats", 10) == 0) {
        answer_stats(fd);
    } else if (strncmp(request, "POST /reset", 11) == 0) {
        memset(&seen, 0, sizeof seen);
        send_all(fd, "HTTP/1.1 204 No Content\r\n\r\n", 27);
    } else if (strncmp(request, "POST /oauth", 11) == 0) {
        send_all(fd, token_answer, sizeof token_answer - 1);
    } else {
        note_signal(body, body_length);
        answer_signal(fd);
    }
}

/* The length of the first request when it is whole, else 0. */
static size_t take_request(int fd, struct upstream_connection *connection)
{
    char *end = memmem(connection->bytes, connection->got, "\r\n\r\n", 4);
    if (end == NULL)
        return 0;
    *end = '\0'; /* for strcasestr */
    const char *length = strcasestr(connection->bytes, "\r\nContent-Length:");
    size_t body_length = length != NULL ? strtoul(length + 17, NULL, 10) : 0;
    size_t head_length = (size_t)(end - connection->bytes) + 4;
    if (head_length + body_length > connection->got) {
        *end = '\r';
        return 0;
    }
    answer(fd, connection->bytes, end + 4, body_length);
    return head_length + body_length;
}

static void hang_up(int fd)
{
    /* Answers that wait for it go to a descriptor that is closed, or to nobody's harm. */
    free(connections[fd]);
    connections[fd] = NULL;
    (void)close(fd);
}

static void read_requests(int fd)
{
    struct upstream_connection *connection = connections[fd];
    ssize_t got = recv(fd, connection->bytes + connection->got,
                       sizeof connection->bytes - connection->got - 1, 0);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        hang_up(fd);
        return;
    }
    connection->got += (size_t)got;
    connection->bytes[connection->got] = '\0';
    size_t length = take_request(fd, connection);
    memmove(connection->bytes, connection->bytes + length, connection->got - length);
    connection->got -= length;
}

/* ---- the loop ---- */

static void accept_all(int epoll_fd, int listen_fd)
{
    const int on = 1;
    for (int fd; (fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        if (fd >= FDS_MAX || (connections[fd] = calloc(1, sizeof *connections[fd])) == NULL) {
            (void)close(fd);
            continue;
        }
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        (void)epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
    }
}

static int open_listener(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) != 0 || listen(fd, 4096) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) != 0) {
        perror("upstream");
        exit(1);
    }
    printf("%u\n", (unsigned)ntohs(address.sin_port));
    (void)fflush(stdout);
    return fd;
}

static void turn(int epoll_fd, int listen_fd)
{
    struct epoll_event events[256];
    int64_t wait_ns = 1000000000;
    if (waiting_count > 0)
        wait_ns = waiting[waiting_first].at_ns - now_ns();
    if (wait_ns < 0)
        wait_ns = 0;
    const struct timespec wait = {.tv_sec = wait_ns / 1000000000, .tv_nsec = wait_ns % 1000000000};
    int count = epoll_pwait2(epoll_fd, events, 256, &wait, NULL);
    for (int i = 0; i < count; i++) {
        if (events[i].data.fd == listen_fd)
            accept_all(epoll_fd, listen_fd);
        else
            read_requests(events[i].data.fd);
    }
    answer_due();
}

int main(int count, char **arguments)
{
    delay_ns = count > 1 ? (int64_t)(atof(arguments[1]) * 1e6) : 0;
    int listen_fd = open_listener();
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listen_fd};
    (void)epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listen_fd, &event);
    for (;;)
        turn(epoll_fd, listen_fd);
}

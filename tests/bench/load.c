/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * HTTP load from one thread. Closed loop: each connection posts again as soon as it is answered.
 * Open loop (--rate): requests are due at fixed moments whether or not the earlier ones are
 * answered, and the latency counts from the moment at which a request was due, so that a server
 * that stalls cannot hide it.
 *
 *   load PORT CONNECTIONS WARM_UP_S SECONDS RATE REQUEST_FILE EXPECTED [FIRST_ID]
 *
 * REQUEST_FILE is a whole HTTP request. Each run of sixteen '@' in it becomes a number that no
 * other request has, each run of sixteen '#' the monotonic time in ns, both in hexadecimal. An
 * answer counts when its status is 2xx and its text contains EXPECTED. RATE 0: closed loop.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
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

enum { MARK_BYTES = 16, ANSWER_BYTES_MAX = 512 * 1024, CONNECTIONS_MAX = 4096 };

struct load_connection {
    int fd;
    bool is_busy;
    int64_t due_ns; /* when the open request was to be sent */
    size_t written, got;
    char *request, *answer;
};

static struct {
    char *text;
    size_t length;
    size_t ids[2000], times[2000]; /* offsets of the marks */
    size_t id_count, time_count;
} request;

static struct {
    uint16_t port;
    unsigned connections;
    double warm_up_s, seconds, rate;
    const char *expected;
} options;

static struct load_connection connections[CONNECTIONS_MAX];
static struct load_connection *resting[CONNECTIONS_MAX];
static size_t resting_count;
static int epoll_fd;
static uint64_t next_id;
static int64_t measure_from_ns, end_ns;
static float *samples_us;
static size_t sample_count, sample_capacity;
static uint64_t failed, unserved; /* unserved: due in an open loop, and no connection was free */

static void fail(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void find_marks(char mark, size_t *offsets, size_t *count)
{
    char run[MARK_BYTES];
    memset(run, mark, sizeof run);
    for (char *at = request.text;
         (at = memmem(at, request.length - (size_t)(at - request.text), run, sizeof run)) != NULL;
         at += sizeof run) {
        assert(*count < sizeof request.ids / sizeof request.ids[0]);
        offsets[(*count)++] = (size_t)(at - request.text);
    }
}

static void read_request(const char *path)
{
    FILE *file = fopen(path, "rb");
    request.text = malloc(4 << 20);
    if (file == NULL || request.text == NULL)
        fail(path);
    request.length = fread(request.text, 1, 4 << 20, file);
    (void)fclose(file);
    find_marks('@', request.ids, &request.id_count);
    find_marks('#', request.times, &request.time_count);
}

static void put_number(char *at, uint64_t number)
{
    for (int digit = MARK_BYTES - 1; digit >= 0; digit--, number >>= 4)
        at[digit] = "0123456789abcdef"[number & 15];
}

/* ---- one connection ---- */

static void watch(struct load_connection *connection, int operation, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = connection};
    if (epoll_ctl(epoll_fd, operation, connection->fd, &event) != 0)
        fail("epoll_ctl");
}

static void open_connection(struct load_connection *connection)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons(options.port),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int on = 1;
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection->fd < 0 ||
        connect(connection->fd, (const struct sockaddr *)&address, sizeof address) != 0)
        fail("connect");
    (void)setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)fcntl(connection->fd, F_SETFL, O_NONBLOCK);
    connection->got = 0;
    watch(connection, EPOLL_CTL_ADD, EPOLLIN);
}

static void write_some(struct load_connection *connection)
{
    size_t left = request.length - connection->written;
    ssize_t put =
        send(connection->fd, connection->request + connection->written, left, MSG_NOSIGNAL);
    if (put > 0)
        connection->written += (size_t)put;
    if (connection->written < request.length)
        watch(connection, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
    else if ((size_t)put != left || left != request.length) /* was watched for writing */
        watch(connection, EPOLL_CTL_MOD, EPOLLIN);
}

static void post(struct load_connection *connection, int64_t due_ns)
{
    for (size_t i = 0; i < request.id_count; i++)
        put_number(connection->request + request.ids[i], next_id++);
    uint64_t sent_ns = request.time_count > 0 ? (uint64_t)now_ns() : 0;
    for (size_t i = 0; i < request.time_count; i++)
        put_number(connection->request + request.times[i], sent_ns);
    connection->is_busy = true;
    connection->due_ns = due_ns;
    connection->written = 0;
    write_some(connection);
}

static void note(int64_t due_ns, int64_t answered_ns, bool is_good)
{
    if (due_ns < measure_from_ns || answered_ns > end_ns)
        return;
    if (!is_good) {
        failed++;
        return;
    }
    if (sample_count == sample_capacity) {
        sample_capacity = sample_capacity > 0 ? 2 * sample_capacity : 1 << 16;
        samples_us = reallocarray(samples_us, sample_capacity, sizeof *samples_us);
        if (samples_us == NULL)
            fail("samples");
    }
    samples_us[sample_count++] = (float)(answered_ns - due_ns) / 1000;
}

/* The length of the answer when it is whole, else 0. */
static size_t whole_answer(const struct load_connection *connection)
{
    const char *head_end = memmem(connection->answer, connection->got, "\r\n\r\n", 4);
    if (head_end == NULL)
        return 0;
    const char *length = strcasestr(connection->answer, "\r\nContent-Length:");
    size_t head = (size_t)(head_end - connection->answer) + 4;
    size_t body = length != NULL && length < head_end ? strtoul(length + 17, NULL, 10) : 0;
    return head + body <= connection->got ? head + body : 0;
}

static void rest(struct load_connection *connection)
{
    connection->is_busy = false;
    resting[resting_count++] = connection;
}

static void finish(struct load_connection *connection, bool is_good)
{
    int64_t answered_ns = now_ns();
    note(connection->due_ns, answered_ns, is_good);
    connection->got = 0;
    if (options.rate > 0)
        rest(connection);
    else if (answered_ns < end_ns)
        post(connection, answered_ns);
}

static void reopen(struct load_connection *connection)
{
    (void)close(connection->fd);
    open_connection(connection);
    if (connection->is_busy)
        finish(connection, false);
}

static void read_some(struct load_connection *connection)
{
    ssize_t got = recv(connection->fd, connection->answer + connection->got,
                       ANSWER_BYTES_MAX - connection->got - 1, 0);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        reopen(connection);
        return;
    }
    connection->got += (size_t)got;
    connection->answer[connection->got] = '\0';
    if (whole_answer(connection) == 0)
        return;
    finish(connection, strncmp(connection->answer, "HTTP/1.1 2", 10) == 0 &&
                           strstr(connection->answer, options.expected) != NULL);
}

/* ---- the run ---- */

static void take_events(int64_t wait_ns)
{
    struct epoll_event events[256];
    const struct timespec wait = {.tv_sec = wait_ns / 1000000000, .tv_nsec = wait_ns % 1000000000};
    int count = epoll_pwait2(epoll_fd, events, 256, &wait, NULL);
    for (int i = 0; i < count; i++) {
        struct load_connection *connection = events[i].data.ptr;
        if (events[i].events & EPOLLOUT)
            write_some(connection);
        if (events[i].events & ~(uint32_t)EPOLLOUT)
            read_some(connection);
    }
}

static void run_closed(void)
{
    for (unsigned i = 0; i < options.connections; i++)
        post(&connections[i], now_ns());
    for (int64_t now = now_ns(); now < end_ns; now = now_ns())
        take_events(end_ns - now);
}

static void run_open(int64_t start_ns)
{
    for (unsigned i = 0; i < options.connections; i++)
        rest(&connections[i]);
    uint64_t sent = 0;
    for (int64_t now = start_ns; now < end_ns; now = now_ns()) {
        int64_t due_ns = start_ns + (int64_t)((double)sent * 1e9 / options.rate);
        for (; due_ns <= now && resting_count > 0;
             due_ns = start_ns + (int64_t)((double)++sent * 1e9 / options.rate))
            post(resting[--resting_count], due_ns);
        int64_t next_ns = resting_count > 0 && due_ns < end_ns ? due_ns : end_ns;
        take_events(next_ns > now ? next_ns - now : 0);
    }
    /* What was due and never got a connection waits at least until now. */
    for (;; sent++) {
        int64_t due_ns = start_ns + (int64_t)((double)sent * 1e9 / options.rate);
        if (due_ns >= end_ns)
            break;
        note(due_ns, end_ns, true);
        unserved += due_ns >= measure_from_ns;
    }
}

static int ascending(const void *a, const void *b)
{
    float left = *(const float *)a, right = *(const float *)b;
    return (left > right) - (left < right);
}

static double percentile(double share)
{
    if (sample_count == 0)
        return NAN;
    size_t index = (size_t)(share * (double)sample_count);
    return (double)samples_us[index < sample_count ? index : sample_count - 1];
}

static void report(void)
{
    qsort(samples_us, sample_count, sizeof *samples_us, ascending);
    size_t answered = sample_count - unserved;
    printf("{\"answered\": %zu, \"failed\": %" PRIu64 ", \"per_second\": %.1f", answered, failed,
           (double)answered / options.seconds);
    static const struct {
        const char *name;
        double share;
    } shares[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}, {"max", 1.0}};
    for (size_t i = 0; sample_count > 0 && i < sizeof shares / sizeof shares[0]; i++)
        printf(", \"%s_us\": %.1f", shares[i].name, percentile(shares[i].share));
    printf(", \"next_id\": %" PRIu64 "}\n", next_id);
}

int main(int count, char **arguments)
{
    if (count < 8) {
        fputs("load PORT CONNECTIONS WARM_UP_S SECONDS RATE REQUEST_FILE EXPECTED [FIRST_ID]\n",
              stderr);
        return 2;
    }
    options.port = (uint16_t)atoi(arguments[1]);
    options.connections = (unsigned)atoi(arguments[2]);
    options.warm_up_s = atof(arguments[3]);
    options.seconds = atof(arguments[4]);
    options.rate = atof(arguments[5]);
    read_request(arguments[6]);
    options.expected = arguments[7];
    next_id = count > 8 ? strtoull(arguments[8], NULL, 10) : 1;
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    for (unsigned i = 0; i < options.connections && i < CONNECTIONS_MAX; i++) {
        connections[i].request = malloc(request.length);
        connections[i].answer = malloc(ANSWER_BYTES_MAX);
        if (connections[i].request == NULL || connections[i].answer == NULL)
            fail("connections");
        memcpy(connections[i].request, request.text, request.length);
        open_connection(&connections[i]);
    }
    int64_t start_ns = now_ns();
    measure_from_ns = start_ns + (int64_t)(options.warm_up_s * 1e9);
    end_ns = measure_from_ns + (int64_t)(options.seconds * 1e9);
    if (options.rate > 0)
        run_open(start_ns);
    else
        run_closed();
    report();
    return 0;
}

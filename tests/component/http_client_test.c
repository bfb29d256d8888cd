/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/net/http_client.h"

#include "tests/support/fake_http.h"
#include "tests/support/specification.h"

enum { CONNECTIONS_MAX = 4, PATIENCE_MS = 10000, TIMEOUT_MS = 5000, ANSWER_MAX = 1024 };

struct scene {
    struct fake_http *server;
    struct http_client *client;
    pthread_mutex_t lock;        /* over what follows: the server's threads use it too */
    struct fake_answer answer;   /* what the server gives; set before the transfer starts */
    char head[4096], body[1024]; /* of the last request */
    size_t body_length;
};

static struct fake_answer play(void *context, const struct fake_request *request)
{
    struct scene *scene = context;
    pthread_mutex_lock(&scene->lock);
    (void)snprintf(scene->head, sizeof scene->head, "%s", request->head);
    (void)snprintf(scene->body, sizeof scene->body, "%s", request->body);
    scene->body_length = request->body_length;
    struct fake_answer answer = scene->answer;
    pthread_mutex_unlock(&scene->lock);
    return answer;
}

static void will_answer(struct scene *scene, struct fake_answer answer)
{
    pthread_mutex_lock(&scene->lock);
    scene->answer = answer;
    pthread_mutex_unlock(&scene->lock);
}

static struct http_client *client_with(const char *ca_file)
{
    const struct http_client_options options = {.ca_file = ca_file,
                                                .connections_max = CONNECTIONS_MAX,
                                                .connection_life_max_s = 60,
                                                .connect_timeout_ms = TIMEOUT_MS};
    struct http_client *client = http_client_create(&options, NULL);
    assert_non_null(client);
    return client;
}

static int set_up(void **state)
{
    struct scene *scene = calloc(1, sizeof *scene);
    assert_non_null(scene);
    pthread_mutex_init(&scene->lock, NULL);
    scene->server = fake_http_start(play, scene);
    scene->client = client_with(NULL);
    *state = scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    http_client_destroy(scene->client);
    fake_http_stop(scene->server);
    pthread_mutex_destroy(&scene->lock);
    free(scene);
    return 0;
}

struct result {
    unsigned calls;
    enum http_outcome outcome;
    unsigned status;
    size_t body_length;
    char body[ANSWER_MAX + 1], content_type[64], retry_after[64], detail[256];
    int64_t duration_us;
};

static void keep(void *context, const struct http_exchange *exchange)
{
    struct result *result = context;
    result->calls++;
    result->outcome = exchange->outcome;
    result->status = exchange->status;
    result->body_length = exchange->body_length;
    result->duration_us = exchange->duration_us;
    assert_int_equal(strlen(exchange->body), exchange->body_length);
    (void)snprintf(result->body, sizeof result->body, "%s", exchange->body);
    (void)snprintf(result->content_type, sizeof result->content_type, "%s", exchange->content_type);
    (void)snprintf(result->retry_after, sizeof result->retry_after, "%s",
                   exchange->retry_after != NULL ? exchange->retry_after : "(absent)");
    (void)snprintf(result->detail, sizeof result->detail, "%s", exchange->detail);
}

static const char *url_of(const struct scene *scene)
{
    static char url[64];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u/graphql", fake_http_port(scene->server));
    return url;
}

static struct http_transfer transfer_to(const char *url, struct result *result)
{
    return (struct http_transfer){.url = url,
                                  .user_agent = "tester/1",
                                  .timeout_ms = TIMEOUT_MS,
                                  .answer_bytes_max = ANSWER_MAX,
                                  .done = keep,
                                  .context = result};
}

static void must_start(struct http_client *client, const struct http_transfer *transfer)
{
    struct error error;
    if (!http_client_start(client, transfer, &error))
        fail_msg("%s", error.message);
}

static void run_until_done(struct http_client *client)
{
    int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
    while (http_client_running(client) > 0) {
        assert_true(clock_monotonic_ms() < until_ms);
        assert_true(http_client_poll(client, NULL, 0, 1000, NULL));
    }
}

static struct result exchange(struct http_client *client, const struct http_transfer *wanted)
{
    struct result result = {0};
    struct http_transfer transfer = *wanted;
    transfer.context = &result;
    must_start(client, &transfer);
    run_until_done(client);
    assert_int_equal(result.calls, 1);
    return result;
}

static struct result get(struct scene *scene, struct fake_answer answer)
{
    will_answer(scene, answer);
    const struct http_transfer transfer = transfer_to(url_of(scene), NULL);
    return exchange(scene->client, &transfer);
}

/* --- what is sent, what comes ------------------------------------------------------ */

static void gives_status_headers_and_body(void **state)
{
    struct result result = get(*state, (struct fake_answer){.status = 503,
                                                            .headers = "retry-after: 7\r\n"
                                                                       "Content-Type: text/x\r\n",
                                                            .body = "later"});
    assert_int_equal(result.outcome, HTTP_ANSWERED);
    assert_int_equal(result.status, 503);
    assert_string_equal(result.body, "later");
    assert_string_equal(result.content_type, "text/x");
    assert_string_equal(result.retry_after, "7");
    assert_string_equal(result.detail, "");
    assert_in_range(result.duration_us, 1, PATIENCE_MS * 1000);
}

static void absent_headers_are_absent(void **state)
{
    struct result result = get(*state, (struct fake_answer){.body = NULL});
    assert_int_equal(result.outcome, HTTP_ANSWERED);
    assert_int_equal(result.body_length, 0);
    assert_string_equal(result.content_type, "");
    assert_string_equal(result.retry_after, "(absent)");
}

static void posts_body_and_headers_as_given(void **state)
{
    struct scene *scene = *state;
    static const char *const headers[] = {"X-Request-Id: abc", "Content-Type: application/json",
                                          NULL};
    struct http_transfer transfer = transfer_to(url_of(scene), NULL);
    transfer.body = "{\"a\":1}";
    transfer.body_length = 7;
    transfer.headers = headers;
    struct result result = exchange(scene->client, &transfer);
    assert_int_equal(result.outcome, HTTP_ANSWERED);
    const struct fake_request request = {.head = scene->head};
    assert_memory_equal(scene->head, "POST /graphql HTTP/1.1\r\n", 24);
    assert_string_equal(fake_header(&request, "X-Request-Id"), "abc");
    assert_string_equal(fake_header(&request, "Content-Type"), "application/json");
    assert_string_equal(fake_header(&request, "User-Agent"), "tester/1");
    assert_string_equal(scene->body, "{\"a\":1}");
}

static void sends_large_bodies_without_asking(void **state)
{
    struct scene *scene = *state;
    static char body[1200 * 1024]; /* libcurl would ask from one mebibyte on */
    memset(body, 'b', sizeof body);
    struct http_transfer transfer = transfer_to(url_of(scene), NULL);
    transfer.body = body;
    transfer.body_length = sizeof body;
    struct result result = exchange(scene->client, &transfer);
    assert_int_equal(result.outcome, HTTP_ANSWERED);
    assert_int_equal(scene->body_length, sizeof body);
    const struct fake_request request = {.head = scene->head};
    assert_null(fake_header(&request, "Expect"));
}

static void does_not_follow_redirects(void **state)
{
    struct result result =
        get(*state, (struct fake_answer){.status = 302, .headers = "Location: /elsewhere\r\n"});
    assert_int_equal(result.status, 302);
    assert_int_equal(fake_http_requests(((struct scene *)*state)->server), 1);
}

static void speaks_only_http(void **state)
{
    struct scene *scene = *state;
    const struct http_transfer transfer = transfer_to("file:///etc/hostname", NULL);
    struct result result = exchange(scene->client, &transfer);
    assert_int_equal(result.outcome, HTTP_BROKEN);
    assert_int_equal(result.body_length, 0);
}

/* --- connections ------------------------------------------------------------------- */

static void uses_a_connection_again(void **state)
{
    struct scene *scene = *state;
    for (int i = 0; i < 20; i++)
        assert_int_equal(get(scene, (struct fake_answer){.body = "x"}).outcome, HTTP_ANSWERED);
    assert_int_equal(fake_http_connections(scene->server), 1);
}

static void opens_no_more_connections_than_allowed(void **state)
{
    struct scene *scene = *state;
    enum { COUNT = 40 };
    static struct result results[COUNT];
    memset(results, 0, sizeof results);
    will_answer(scene, (struct fake_answer){.body = "x", .delay_ms = 5});
    for (int i = 0; i < COUNT; i++) {
        const struct http_transfer transfer = transfer_to(url_of(scene), &results[i]);
        must_start(scene->client, &transfer);
    }
    assert_int_equal(http_client_running(scene->client), COUNT);
    run_until_done(scene->client);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(results[i].outcome, HTTP_ANSWERED);
    assert_in_range(fake_http_connections_peak(scene->server), 2, CONNECTIONS_MAX);
}

static struct result post(struct scene *scene, struct fake_answer answer)
{
    will_answer(scene, answer);
    struct http_transfer transfer = transfer_to(url_of(scene), NULL);
    transfer.body = "{}";
    transfer.body_length = 2;
    return exchange(scene->client, &transfer);
}

static void notices_that_an_idle_connection_was_closed(void **state)
{
    struct scene *scene = *state;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(post(scene, (struct fake_answer){.body = "x"}).outcome, HTTP_ANSWERED);
        fake_http_close_connections(scene->server);
    }
}

static void never_posts_twice_by_itself(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(post(scene, (struct fake_answer){.body = "x"}).outcome, HTTP_ANSWERED);
    assert_int_equal(post(scene, (struct fake_answer){.act = FAKE_CLOSE}).outcome, HTTP_BROKEN);
    assert_int_equal(post(scene, (struct fake_answer){.body = "x"}).outcome, HTTP_ANSWERED);
    assert_int_equal(fake_http_requests(scene->server), 3);
}

/* --- misbehaving peers ------------------------------------------------------------- */

static void names_each_failure(void **state)
{
    static const struct {
        struct fake_answer answer;
        enum http_outcome outcome;
    } cases[] = {
        {{.act = FAKE_RESET}, HTTP_BROKEN},
        {{.act = FAKE_CLOSE}, HTTP_BROKEN},
        {{.act = FAKE_CUT_BODY, .body = "0123456789"}, HTTP_BROKEN},
        {{.act = FAKE_GARBAGE}, HTTP_BROKEN},
        {{.act = FAKE_ENDLESS}, HTTP_ANSWER_TOO_LARGE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct result result = get(*state, cases[i].answer);
        assert_int_equal(result.outcome, cases[i].outcome);
        assert_string_not_equal(result.detail, "");
    }
    assert_int_equal(get(*state, (struct fake_answer){.body = "x"}).outcome, HTTP_ANSWERED);
}

static void reads_byte_by_byte(void **state)
{
    struct result result =
        get(*state, (struct fake_answer){.act = FAKE_DRIP, .body = "slow", .delay_ms = 1});
    assert_int_equal(result.outcome, HTTP_ANSWERED);
    assert_string_equal(result.body, "slow");
}

static void the_answer_may_just_be_that_long(void **state)
{
    static char body[ANSWER_MAX + 2];
    memset(body, 'y', ANSWER_MAX);
    struct result result = get(*state, (struct fake_answer){.body = body});
    assert_int_equal(result.outcome, HTTP_ANSWERED);
    assert_int_equal(result.body_length, ANSWER_MAX);
    body[ANSWER_MAX] = 'y';
    assert_int_equal(get(*state, (struct fake_answer){.body = body}).outcome,
                     HTTP_ANSWER_TOO_LARGE);
}

static void must_time_out(struct scene *scene, struct fake_answer answer)
{
    will_answer(scene, answer);
    struct http_transfer transfer = transfer_to(url_of(scene), NULL);
    transfer.timeout_ms = 150;
    int64_t start_ms = clock_monotonic_ms();
    struct result result = exchange(scene->client, &transfer);
    assert_int_equal(result.outcome, HTTP_TIMED_OUT);
    assert_in_range(clock_monotonic_ms() - start_ms, 140, 2000);
}

static void ends_a_transfer_in_time(void **state)
{
    must_time_out(*state, (struct fake_answer){.act = FAKE_SILENT});
    must_time_out(*state,
                  (struct fake_answer){.act = FAKE_DRIP, .body = "too slow", .delay_ms = 10});
}

static void a_slow_one_does_not_hold_up_the_others(void **state)
{
    struct scene *scene = *state;
    struct result slow = {0};
    will_answer(scene, (struct fake_answer){.act = FAKE_SILENT});
    const struct http_transfer transfer = transfer_to(url_of(scene), &slow);
    must_start(scene->client, &transfer);
    while (fake_http_requests(scene->server) == 0)
        assert_true(http_client_poll(scene->client, NULL, 0, 10, NULL));
    will_answer(scene, (struct fake_answer){.body = "x"});
    struct result quick = {0};
    const struct http_transfer other = transfer_to(url_of(scene), &quick);
    must_start(scene->client, &other);
    while (quick.calls == 0)
        assert_true(http_client_poll(scene->client, NULL, 0, 1000, NULL));
    assert_int_equal(quick.outcome, HTTP_ANSWERED);
    assert_int_equal(slow.calls, 0);
    http_client_abort_all(scene->client); /* `slow` does not outlive this test */
}

static void names_a_refused_connection(void **state)
{
    struct scene *scene = *state;
    int fd =
        socket(AF_INET, SOCK_STREAM, 0); /* bound, so that nobody else gets it; not listening */
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    char url[64];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u/", ntohs(address.sin_port));
    const struct http_transfer transfer = transfer_to(url, NULL);
    struct result result = exchange(scene->client, &transfer);
    close(fd);
    assert_int_equal(result.outcome, HTTP_NOT_CONNECTED);
    assert_int_equal(result.status, 0);
}

/* Takes the place of the C library's for libcurl too: the name server does not answer until the
 * test says so. */
static _Atomic bool is_resolver_stuck;

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **out)
{
    (void)name;
    (void)service;
    (void)hints;
    (void)out;
    while (is_resolver_stuck)
        (void)usleep(1000);
    return EAI_NONAME;
}

static void names_an_unknown_host(void **state)
{
    struct scene *scene = *state;
    const struct http_transfer transfer = transfer_to("http://nobody.invalid/", NULL);
    assert_int_equal(exchange(scene->client, &transfer).outcome, HTTP_NOT_RESOLVED);
}

static void does_not_wait_for_the_resolver(void **state)
{
    struct scene *scene = *state;
    struct http_transfer transfer = transfer_to("http://nobody.invalid/", NULL);
    transfer.timeout_ms = 300;
    is_resolver_stuck = true;
    int64_t start_ms = clock_monotonic_ms();
    enum http_outcome outcome = exchange(scene->client, &transfer).outcome;
    int64_t took_ms = clock_monotonic_ms() - start_ms;
    is_resolver_stuck = false;
    assert_int_equal(outcome, HTTP_TIMED_OUT);
    assert_in_range(took_ms, 290, 2000);
    (void)usleep(50000); /* the resolver's thread ends by itself */
}

/* --- TLS --------------------------------------------------------------------------- */

static void names_a_failed_handshake(void **state)
{
    struct scene *scene = *state;
    char url[64];
    (void)snprintf(url, sizeof url, "https://127.0.0.1:%u/", fake_http_port(scene->server));
    will_answer(scene, (struct fake_answer){.act = FAKE_GARBAGE});
    struct http_transfer transfer = transfer_to(url, NULL);
    transfer.timeout_ms = 1000;
    struct result result = exchange(scene->client, &transfer);
    assert_true(result.outcome == HTTP_TLS_FAILED || result.outcome == HTTP_TIMED_OUT);
    assert_int_not_equal(result.outcome, HTTP_ANSWERED);
}

struct tls_server {
    char directory[32], certificate[64], key[64];
    pid_t pid;
    unsigned port;
};

static void make_certificate(struct tls_server *server, const char *name)
{
    strcpy(server->directory, "/tmp/seek-tls-XXXXXX");
    assert_non_null(mkdtemp(server->directory));
    (void)snprintf(server->certificate, sizeof server->certificate, "%s/cert.pem",
                   server->directory);
    (void)snprintf(server->key, sizeof server->key, "%s/key.pem", server->directory);
    char command[512];
    (void)snprintf(
        command, sizeof command,
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes "
        "-days 1 -subj /CN=test -addext subjectAltName=%s -keyout %s -out %s 2>/dev/null",
        name, server->key, server->certificate);
    assert_int_equal(system(command), 0);
}

static void start_tls_server(struct tls_server *server, const char *version)
{
    int out[2];
    assert_int_equal(pipe(out), 0);
    server->pid = fork();
    assert_true(server->pid >= 0);
    if (server->pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)dup2(out[1], STDOUT_FILENO);
        (void)freopen("/dev/null", "w", stderr); /* it complains about whom it should */
        execlp("openssl", "openssl", "s_server", "-accept", "127.0.0.1:0", "-cert",
               server->certificate, "-key", server->key, "-www", version, (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    char line[128] = "";
    FILE *stream = fdopen(out[0], "r");
    while (sscanf(line, "ACCEPT 127.0.0.1:%u", &server->port) != 1)
        assert_non_null(fgets(line, sizeof line, stream));
    (void)fclose(stream);
}

static void stop_tls_server(struct tls_server *server)
{
    (void)kill(server->pid, SIGKILL);
    (void)waitpid(server->pid, NULL, 0);
    (void)unlink(server->certificate);
    (void)unlink(server->key);
    (void)rmdir(server->directory);
}

static enum http_outcome tls_outcome(const struct tls_server *server, const char *ca_file)
{
    AUTO(http_client) *client = client_with(ca_file);
    char url[64];
    (void)snprintf(url, sizeof url, "https://127.0.0.1:%u/", server->port);
    struct http_transfer transfer = transfer_to(url, NULL);
    transfer.answer_bytes_max = 64 * 1024;
    return exchange(client, &transfer).outcome;
}

static void verifies_the_certificate(void **state)
{
    (void)state;
    struct tls_server server;
    make_certificate(&server, "IP:127.0.0.1");
    start_tls_server(&server, "-tls1_2");
    enum http_outcome unknown = tls_outcome(&server, NULL);
    enum http_outcome trusted = tls_outcome(&server, server.certificate);
    enum http_outcome missing = tls_outcome(&server, "/nonexistent/ca.pem");
    stop_tls_server(&server);
    assert_int_equal(unknown, HTTP_TLS_FAILED);
    assert_int_equal(trusted, HTTP_ANSWERED);
    assert_int_equal(missing, HTTP_TLS_FAILED);
}

static void verifies_the_name(void **state)
{
    (void)state;
    struct tls_server server;
    make_certificate(&server, "DNS:elsewhere.example");
    start_tls_server(&server, "-tls1_2");
    enum http_outcome outcome = tls_outcome(&server, server.certificate);
    stop_tls_server(&server);
    assert_int_equal(outcome, HTTP_TLS_FAILED);
}

/* --- the loop ---------------------------------------------------------------------- */

static void watches_other_descriptors(void **state)
{
    struct scene *scene = *state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    struct http_poll_fd extra[] = {{.fd = -1, .want_read = true},
                                   {.fd = fds[0], .want_read = true},
                                   {.fd = fds[1], .want_write = true}};
    assert_true(http_client_poll(scene->client, extra, 3, PATIENCE_MS, NULL));
    assert_false(extra[0].is_readable || extra[1].is_readable);
    assert_true(extra[2].is_writable);
    assert_int_equal(write(fds[1], "x", 1), 1);
    assert_true(http_client_poll(scene->client, extra, 2, PATIENCE_MS, NULL));
    assert_true(extra[1].is_readable);
    close(fds[0]);
    close(fds[1]);
}

static void waits_no_longer_than_told(void **state)
{
    struct scene *scene = *state;
    int64_t start_ms = clock_monotonic_ms();
    assert_true(http_client_poll(scene->client, NULL, 0, 60, NULL));
    assert_in_range(clock_monotonic_ms() - start_ms, 55, 2000);
}

static void *wake_later(void *client)
{
    (void)usleep(30000);
    http_client_wake(client);
    return NULL;
}

static void can_be_woken(void **state)
{
    struct scene *scene = *state;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, wake_later, scene->client), 0);
    int64_t start_ms = clock_monotonic_ms();
    assert_true(http_client_poll(scene->client, NULL, 0, PATIENCE_MS, NULL));
    assert_in_range(clock_monotonic_ms() - start_ms, 0, PATIENCE_MS / 2);
    assert_int_equal(pthread_join(thread, NULL), 0);

    http_client_wake(scene->client); /* before the poll: not lost */
    assert_true(http_client_poll(scene->client, NULL, 0, PATIENCE_MS, NULL));
    assert_in_range(clock_monotonic_ms() - start_ms, 0, PATIENCE_MS / 2);
}

struct chain {
    struct scene *scene;
    int left;
};

static void start_the_next(void *context, const struct http_exchange *exchange)
{
    struct chain *chain = context;
    assert_int_equal(exchange->outcome, HTTP_ANSWERED);
    if (--chain->left == 0)
        return;
    struct http_transfer transfer = transfer_to(url_of(chain->scene), NULL);
    transfer.done = start_the_next;
    transfer.context = chain;
    must_start(chain->scene->client, &transfer);
}

static void done_may_start_another(void **state)
{
    struct chain chain = {.scene = *state, .left = 5};
    struct http_transfer transfer = transfer_to(url_of(*state), NULL);
    transfer.done = start_the_next;
    transfer.context = &chain;
    must_start(chain.scene->client, &transfer);
    run_until_done(chain.scene->client);
    assert_int_equal(chain.left, 0);
}

static void start_silent(struct scene *scene, struct result *results, size_t count)
{
    will_answer(scene, (struct fake_answer){.act = FAKE_SILENT});
    for (size_t i = 0; i < count; i++) {
        const struct http_transfer transfer = transfer_to(url_of(scene), &results[i]);
        must_start(scene->client, &transfer);
    }
    for (int i = 0; i < 5; i++)
        assert_true(http_client_poll(scene->client, NULL, 0, 10, NULL));
}

static void abort_ends_all(void **state)
{
    struct scene *scene = *state;
    struct result results[6] = {0};
    start_silent(scene, results, 6);
    http_client_abort_all(scene->client);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(results[i].calls, 1);
        assert_int_equal(results[i].outcome, HTTP_BROKEN);
    }
    assert_int_equal(http_client_running(scene->client), 0);
    assert_int_equal(get(scene, (struct fake_answer){.body = "x"}).outcome, HTTP_ANSWERED);
}

static void destroy_ends_all(void **state)
{
    struct scene *scene = *state;
    struct result results[3] = {0};
    start_silent(scene, results, 3);
    http_client_destroy(scene->client);
    scene->client = NULL;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(results[i].calls, 1);
}

#define SCENE(sentence, function) IT_WITH(sentence, function, set_up, tear_down)

int main(void)
{
    (void)setenv("no_proxy", "*", 1);
    if (!http_client_startup(NULL))
        return 1;
    const struct CMUnitTest tests[] = {
        SCENE("gives status, headers and body", gives_status_headers_and_body),
        SCENE("tells an absent header from an empty one", absent_headers_are_absent),
        SCENE("posts body and headers as they are given", posts_body_and_headers_as_given),
        SCENE("sends large bodies without asking first", sends_large_bodies_without_asking),
        SCENE("does not follow redirects", does_not_follow_redirects),
        SCENE("speaks HTTP only", speaks_only_http),
        SCENE("uses a connection again", uses_a_connection_again),
        SCENE("opens no more connections than allowed", opens_no_more_connections_than_allowed),
        SCENE("notices that an idle connection was closed",
              notices_that_an_idle_connection_was_closed),
        SCENE("never posts twice by itself when a used connection breaks",
              never_posts_twice_by_itself),
        SCENE("names a reset, an early end, a cut body, garbage and an endless body",
              names_each_failure),
        SCENE("reads an answer that comes byte by byte", reads_byte_by_byte),
        SCENE("takes an answer of just the maximum", the_answer_may_just_be_that_long),
        SCENE("ends a transfer in time, silent or slow", ends_a_transfer_in_time),
        SCENE("serves the others while one is slow", a_slow_one_does_not_hold_up_the_others),
        SCENE("names a refused connection", names_a_refused_connection),
        SCENE("names an unknown host", names_an_unknown_host),
        SCENE("does not wait for the resolver longer than for the transfer",
              does_not_wait_for_the_resolver),
        SCENE("names a failed handshake", names_a_failed_handshake),
        IT("accepts only certificates of an authority it trusts", verifies_the_certificate),
        IT("accepts only certificates for the name it called", verifies_the_name),
        SCENE("watches other descriptors", watches_other_descriptors),
        SCENE("waits no longer than told", waits_no_longer_than_told),
        SCENE("can be woken, also before it waits", can_be_woken),
        SCENE("lets a callback start another transfer", done_may_start_another),
        SCENE("ends all on abort, and can be used again", abort_ends_all),
        SCENE("ends all when destroyed", destroy_ends_all),
    };
    cmocka_set_test_filter(getenv("TEST_FILTER"));
    int failures = cmocka_run_group_tests_name("http_client", tests, NULL, NULL);
    http_client_cleanup();
    return failures;
}

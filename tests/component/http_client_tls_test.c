/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Whom the client trusts; the peer is OpenSSL's own server.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/http_client_stand.h"
#include "tests/support/signal_process.h"
#include "tests/support/specification.h"

static void names_a_failed_handshake(void **state)
{
    struct http_client_stand *stand = *state;
    char url[64];
    (void)snprintf(url, sizeof url, "https://127.0.0.1:%u/", fake_http_port(server_of(stand)));
    will_answer(stand, (struct fake_answer){.act = FAKE_GARBAGE});
    struct http_transfer transfer = transfer_to(url, NULL);
    transfer.timeout_ms = 1000;
    struct http_result result = must_exchange(client_of(stand), &transfer);
    assert_true(result.outcome == HTTP_TLS_FAILED || result.outcome == HTTP_TIMED_OUT);
    assert_int_not_equal(result.outcome, HTTP_ANSWERED);
}

struct tls_test_server {
    char directory[32], certificate[64], key[64];
    pid_t pid;
    unsigned port;
};

static void make_certificate(struct tls_test_server *server, const char *name)
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

/* With `asks_for_certificate`, whoever shows none that the server's own authority has signed is
 * sent away. */
static void start_tls_server(struct tls_test_server *server, const char *version,
                             bool asks_for_certificate)
{
    int out[2];
    assert_int_equal(pipe(out), 0);
    server->pid = fork();
    assert_true(server->pid >= 0);
    if (server->pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)dup2(out[1], STDOUT_FILENO);
        if (freopen("/dev/null", "w", stderr) == NULL) /* it complains about whom it should */
            _exit(127);
        execlp("openssl", "openssl", "s_server", "-accept", "127.0.0.1:0", "-cert",
               server->certificate, "-key", server->key, "-www", version,
               asks_for_certificate ? "-verify_return_error" : (char *)NULL, "-Verify", "1",
               "-CAfile", server->certificate, (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    char line[128] = "";
    FILE *stream = fdopen(out[0], "r");
    while (sscanf(line, "ACCEPT 127.0.0.1:%u", &server->port) != 1)
        assert_non_null(fgets(line, sizeof line, stream));
    (void)fclose(stream);
}

static void stop_tls_server(struct tls_test_server *server)
{
    (void)signal_process(server->pid, SIGKILL);
    (void)waitpid(server->pid, NULL, 0);
    (void)unlink(server->certificate);
    (void)unlink(server->key);
    (void)rmdir(server->directory);
}

static enum http_outcome tls_outcome(const struct tls_test_server *server, const char *ca_file)
{
    AUTO(http_client) *client = client_trusting(ca_file);
    char url[64];
    (void)snprintf(url, sizeof url, "https://127.0.0.1:%u/", server->port);
    struct http_transfer transfer = transfer_to(url, NULL);
    transfer.answer_bytes_max = 64 * 1024;
    return must_exchange(client, &transfer).outcome;
}

static void verifies_the_certificate(void **state)
{
    (void)state;
    struct tls_test_server server;
    make_certificate(&server, "IP:127.0.0.1");
    start_tls_server(&server, "-tls1_2", false);
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
    struct tls_test_server server;
    make_certificate(&server, "DNS:elsewhere.example");
    start_tls_server(&server, "-tls1_2", false);
    enum http_outcome outcome = tls_outcome(&server, server.certificate);
    stop_tls_server(&server);
    assert_int_equal(outcome, HTTP_TLS_FAILED);
}

static enum http_outcome outcome_with(const struct tls_test_server *server, const char *certificate,
                                      const char *key)
{
    const struct http_client_options options = {.ca_file = server->certificate,
                                                .client_certificate = certificate,
                                                .client_key = key,
                                                .connections_max = 1,
                                                .connection_life_max_s = 60,
                                                .connect_timeout_ms = CLIENT_TIMEOUT_MS};
    AUTO(http_client) *client = http_client_create(&options, loop_of_clients(), NULL);
    char url[64];
    (void)snprintf(url, sizeof url, "https://127.0.0.1:%u/", server->port);
    struct http_transfer transfer = transfer_to(url, NULL);
    transfer.answer_bytes_max = 64 * 1024;
    return must_exchange(client, &transfer).outcome;
}

static void shows_its_certificate(void **state)
{
    (void)state;
    struct tls_test_server server;
    make_certificate(&server, "IP:127.0.0.1");
    start_tls_server(&server, "-tls1_2", true);
    enum http_outcome without = outcome_with(&server, NULL, NULL);
    enum http_outcome with = outcome_with(&server, server.certificate, server.key);
    enum http_outcome missing = outcome_with(&server, "/nonexistent/cert.pem", server.key);
    stop_tls_server(&server);
    assert_int_not_equal(without, HTTP_ANSWERED);
    assert_int_equal(with, HTTP_ANSWERED);
    assert_int_equal(missing, HTTP_TLS_FAILED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE("names a failed handshake", names_a_failed_handshake),
        IT("accepts only certificates of an authority it trusts", verifies_the_certificate),
        IT("accepts only certificates for the name it called", verifies_the_name),
        IT("shows its own certificate to a server that asks for one", shows_its_certificate),
    };
    cmocka_set_test_filter(getenv("TEST_FILTER"));
    return cmocka_run_group_tests_name("http_client_tls", tests, http_client_stand_begin,
                                       http_client_stand_finish);
}

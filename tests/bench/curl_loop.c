/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The ceiling of what libcurl sends: the same mutation with the same headers to the same upstream,
 * from one thread, nothing claimed, classified or recorded. Each easy handle is set up once.
 *
 *   curl_loop URL SIGNALS IN_FLIGHT
 */
#include <curl/curl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char mutation[] =
    "{\"query\":\"mutation ($input: SendSignalInput!) {\\n  sendSignal(input: $input)\\n}\","
    "\"variables\":{\"input\":{\"typeCode\":\"ApplicationComplete\",\"token\":"
    "\"bench-t0000000000000000-00000000000000000000000000000000\","
    "\"timestamp\":\"2026-01-02T03:04:05.678Z\"}}}";
static const char *const lines[] = {
    "Expect:",
    "Accept-Language: en-AU",
    "Authorization: Bearer bench-access-token-0123456789",
    "Content-Type: application/json",
    "X-Request-Id: 00000000-0000-4000-8000-000000000001",
    "X-Session-Id: 00000000-0000-4000-8000-000000000000",
};

static double now_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static size_t ignore(char *bytes, size_t size, size_t count, void *context)
{
    (void)bytes;
    (void)context;
    return size * count;
}

static CURL *create(const char *url, struct curl_slist *headers)
{
    CURL *easy = curl_easy_init();
    (void)curl_easy_setopt(easy, CURLOPT_URL, url);
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    (void)curl_easy_setopt(easy, CURLOPT_USERAGENT, "bench/1");
    (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, mutation);
    (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)(sizeof mutation - 1));
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore);
    return easy;
}

static uint64_t send_again(CURLM *multi, uint64_t *left)
{
    uint64_t finished = 0;
    int queued;
    for (CURLMsg *message; (message = curl_multi_info_read(multi, &queued)) != NULL; finished++) {
        CURL *easy = message->easy_handle;
        if (message->data.result != CURLE_OK) {
            fprintf(stderr, "curl_loop: %s\n", curl_easy_strerror(message->data.result));
            exit(1);
        }
        (void)curl_multi_remove_handle(multi, easy);
        if (*left == 0) {
            curl_easy_cleanup(easy);
            continue;
        }
        (void)curl_multi_add_handle(multi, easy);
        --*left;
    }
    return finished;
}

int main(int count, char **arguments)
{
    if (count < 4)
        return 2;
    uint64_t signals = strtoull(arguments[2], NULL, 10), left = signals;
    long in_flight = atol(arguments[3]);
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
    struct curl_slist *headers = NULL;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        headers = curl_slist_append(headers, lines[i]);
    CURLM *multi = curl_multi_init();
    (void)curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, in_flight);
    double start_s = now_s();
    for (long i = 0; i < in_flight && left > 0; i++, left--)
        (void)curl_multi_add_handle(multi, create(arguments[1], headers));
    for (uint64_t finished = 0; finished < signals;) {
        int running;
        (void)curl_multi_perform(multi, &running);
        finished += send_again(multi, &left);
        if (finished < signals)
            (void)curl_multi_poll(multi, NULL, 0, 1000, NULL);
    }
    double seconds = now_s() - start_s;
    printf("{\"done\": %lu, \"seconds\": %.6f, \"per_second\": %.1f}\n", (unsigned long)signals,
           seconds, (double)signals / seconds);
    (void)curl_multi_cleanup(multi);
    curl_slist_free_all(headers);
    curl_global_cleanup();
    return 0;
}

/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The ceiling of what goes through Redis: the service's scripts called by a bare loop.
 *
 *   redis_loop PORT accept SCRIPT EVENTS EVENTS_PER_CALL CALLS_IN_FLIGHT FIRST_ID [ARGUMENT...]
 *       new applications, so many per call, with so many calls on their way; the arguments follow
 *       application id, seek-token and event id
 *   redis_loop PORT claim SCRIPT CLAIMS CLAIMS_PER_CALL LEASE_MS
 *       one call after the other, as a worker does
 *   redis_loop PORT paced SCRIPT EVENTS EVENTS_PER_SECOND FIRST_ID [ARGUMENT...]
 *       one new application per call, one call at a time, on a system that is idle in between
 */
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { FIXED = 13, PER_EVENT_MAX = 10, EVENTS_MAX = 1000, SCRIPT_BYTES_MAX = 1 << 18 };

static redisContext *redis;
static char sha[64];
static uint64_t next_id;
static char **rest; /* of the arguments of an event, up to NULL */

/* The command of one call: EVALSHA sha 4 KEYS…, accept's head, then the events. */
static struct {
    char ids[EVENTS_MAX][17], tokens[EVENTS_MAX][57], events[EVENTS_MAX][37];
    const char *arguments[FIXED + EVENTS_MAX * PER_EVENT_MAX];
    size_t lengths[FIXED + EVENTS_MAX * PER_EVENT_MAX];
    int count;
} call;

static double now_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static redisReply *must(redisReply *reply)
{
    if (reply != NULL && reply->type != REDIS_REPLY_ERROR)
        return reply;
    fprintf(stderr, "redis_loop: %s\n", reply != NULL ? reply->str : redis->errstr);
    exit(1);
}

static void load_script(const char *path)
{
    static char text[SCRIPT_BYTES_MAX];
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    size_t length = fread(text, 1, sizeof text, file);
    (void)fclose(file);
    redisReply *reply = must(redisCommand(redis, "SCRIPT LOAD %b", text, length));
    (void)snprintf(sha, sizeof sha, "%s", reply->str);
    freeReplyObject(reply);
}

static void add(const char *text)
{
    call.arguments[call.count] = text;
    call.lengths[call.count++] = strlen(text);
}

static void begin_call(void)
{
    static const char *const keys[] = {"seek-signal:{0}:app:", "seek-signal:{0}:due",
                                       "seek-signal:{0}:dead", "seek-signal:{0}:paused"};
    call.count = 0;
    add("EVALSHA");
    add(sha);
    add("4");
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        add(keys[i]);
}

static void append_accept(int events)
{
    static const char *const head[] = {"0", "1000", "", "0", "0", "0"}; /* nothing is leased */
    begin_call();
    for (size_t i = 0; i < sizeof head / sizeof head[0]; i++)
        add(head[i]);
    for (int i = 0; i < events; i++, next_id++) {
        (void)snprintf(call.ids[i], sizeof call.ids[i], "%016" PRIx64, next_id);
        (void)snprintf(call.tokens[i], sizeof call.tokens[i], "bench-t%016x-%032" PRIx64, 0,
                       next_id);
        (void)snprintf(call.events[i], sizeof call.events[i], "%08" PRIx64 "-0000-4000-8000-%04x",
                       next_id & UINT32_MAX, 0);
        add(call.ids[i]);
        add(call.tokens[i]);
        add(call.events[i]);
        for (char **argument = rest; *argument != NULL; argument++)
            add(*argument);
    }
    redisAppendCommandArgv(redis, call.count, call.arguments, call.lengths);
}

static redisReply *next_reply(void)
{
    void *reply = NULL;
    if (redisGetReply(redis, &reply) != REDIS_OK)
        reply = NULL;
    return must(reply);
}

static uint64_t accept_all(uint64_t events, int per_call, int in_flight)
{
    uint64_t appended = 0, answered = 0;
    while (answered < events) {
        while (appended < events && appended - answered < (uint64_t)(in_flight * per_call)) {
            append_accept(per_call);
            appended += (uint64_t)per_call;
        }
        freeReplyObject(next_reply());
        answered += (uint64_t)per_call;
    }
    return answered;
}

static int ascending(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* The median time of a call, in us. */
static double accept_paced(uint64_t events, double rate)
{
    double *samples_s = calloc(events, sizeof *samples_s);
    if (samples_s == NULL)
        exit(1);
    double start_s = now_s();
    for (uint64_t i = 0; i < events; i++) {
        double rest_s = start_s + (double)i / rate - now_s();
        if (rest_s > 0)
            (void)usleep((useconds_t)(rest_s * 1e6));
        double sent_s = now_s();
        append_accept(1);
        freeReplyObject(next_reply());
        samples_s[i] = now_s() - sent_s;
    }
    qsort(samples_s, events, sizeof *samples_s, ascending);
    double median_us = samples_s[events / 2] * 1e6;
    free(samples_s);
    return median_us;
}

static uint64_t claim_all(uint64_t claims, const char *per_call, const char *lease_ms)
{
    enum { HEADER = 6, PER_CLAIM = 10 };
    uint64_t claimed = 0;
    char number[24], answered[24] = "0";
    /* Each claim has a higher number than all before, those of an earlier process too. */
    for (uint64_t i = (uint64_t)(now_s() * 1e6); claimed < claims; i++) {
        (void)snprintf(number, sizeof number, "%" PRIu64, i);
        begin_call();
        add(per_call);
        add(lease_ms);
        add("1000000000000"); /* never too old */
        add("seek-signal:{0}:claimer:bench");
        add(number);
        add(answered);
        add("1000000000000000"); /* never too late */
        redisAppendCommandArgv(redis, call.count, call.arguments, call.lengths);
        redisReply *reply = next_reply();
        size_t got = (reply->elements - HEADER) / PER_CLAIM;
        freeReplyObject(reply);
        (void)snprintf(answered, sizeof answered, "%s", number);
        claimed += got;
        if (got == 0)
            break;
    }
    return claimed;
}

int main(int count, char **arguments)
{
    if (count < 7)
        return 2;
    redis = redisConnect("127.0.0.1", atoi(arguments[1]));
    if (redis == NULL || redis->err != 0) {
        fputs("redis_loop: no connection\n", stderr);
        return 1;
    }
    load_script(arguments[3]);
    uint64_t wanted = strtoull(arguments[4], NULL, 10), done;
    double start_s = now_s();
    if (strcmp(arguments[2], "accept") == 0) {
        next_id = count > 7 ? strtoull(arguments[7], NULL, 10) : 1;
        rest = arguments + (count > 8 ? 8 : count);
        done = accept_all(wanted, atoi(arguments[5]), atoi(arguments[6]));
    } else if (strcmp(arguments[2], "paced") == 0) {
        next_id = strtoull(arguments[6], NULL, 10);
        rest = arguments + 7;
        printf("{\"p50_us\": %.1f}\n", accept_paced(wanted, atof(arguments[5])));
        return 0;
    } else {
        done = claim_all(wanted, arguments[5], arguments[6]);
    }
    double seconds = now_s() - start_s;
    printf("{\"done\": %" PRIu64 ", \"seconds\": %.6f, \"per_second\": %.1f}\n", done, seconds,
           (double)done / seconds);
    return 0;
}

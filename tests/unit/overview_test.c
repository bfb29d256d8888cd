/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "service/command/overview.h"
#include "service/command/rows.h"

#include "tests/support/specification.h"

#define NOW_MS INT64_C(1767323045000) /* 2026-01-02T03:04:05Z */
#define SIGNALS                                                                                    \
    "\"signals\":{\"due\":0,\"dead\":0,\"oldestDueAgeMs\":0,\"deadBy\":[],\"deadByOf\":0}"
#define STORE                                                                                      \
    "\"store\":{\"ready\":true,\"durability\":\"fsync\",\"reason\":null,\"clockAheadMs\":-33,"     \
    "\"shards\":1,\"shardsReady\":1}"
#define SENDING(members_)                                                                          \
    "\"sending\":{\"breaker\":\"closed\",\"inFlight\":0,\"inFlightLimit\":64,"                     \
    "\"throttledForMs\":0,\"paused\":false,\"pausedSince\":null,\"movedTo\":null," members_        \
    "\"lastError\":null}"
#define TOKEN                                                                                      \
    "\"accessToken\":{\"valid\":true,\"refreshes\":1,\"failures\":0,\"expiresInMs\":1750000,"      \
    "\"failingForMs\":null,\"lastError\":null}"
#define WORKERS                                                                                    \
    "\"workers\":{\"threads\":2,\"threadsConnected\":2,\"delivered\":3,\"retried\":0,\"died\":1,"  \
    "\"fenced\":0,\"leasesExpired\":0,\"lastDeliveredAt\":\"2026-01-02T03:04:00.000Z\","           \
    "\"oldestRetry\":null}"
#define HEAD "{\"version\":\"4.5.6\",\"uptimeSeconds\":7500,\"draining\":false,"
#define DOCUMENT(signals_, store_, sending_, token_)                                               \
    HEAD signals_ "," store_ "," sending_ "," token_ "," WORKERS "}"

typedef void (*writer)(struct buffer *out, const struct json_value *document, int64_t now_ms);

static void must_say(writer write, const char *document, const char *const parts[])
{
    struct error error;
    struct buffer out;
    buffer_init(&out, ROWS_BYTES_MAX);
    AUTO(json) *json = json_parse(document, strlen(document), &error);
    assert_non_null(json);
    write(&out, json_root(json), NOW_MS);
    for (size_t i = 0; parts[i] != NULL; i++) {
        if (strstr(out.bytes, parts[i]) == NULL)
            fail_msg("%s is not in\n%s", parts[i], out.bytes);
    }
    assert_null(strstr(out.bytes, "null"));
    buffer_fini(&out);
}

static void says_what_works_and_nothing_that_is_nought(void **state)
{
    (void)state;
    struct error error;
    struct buffer out;
    static const char document[] = DOCUMENT(SIGNALS, STORE, SENDING(""), TOKEN);
    buffer_init(&out, ROWS_BYTES_MAX);
    AUTO(json) *json = json_parse(document, strlen(document), &error);
    assert_non_null(json);
    overview_write(&out, json_root(json), NOW_MS);
    assert_string_equal(out.bytes, "Working.\n"
                                   "\n"
                                   "Signals       none waits\n"
                                   "SEEK          no outage (the circuit breaker is closed)\n"
                                   "              last delivery 5 s ago, 2026-01-02 03:04:00 UTC\n"
                                   "Access token  valid for 29 min 10 s\n"
                                   "Redis         ready, events are stored at the level fsync\n"
                                   "              its clock is 33 ms behind\n"
                                   "Process       version 4.5.6, up for 2 h 5 min\n"
                                   "              since its start 3 delivered, 1 died\n");
    assert_null(overview_hold(json_root(json)));
    buffer_fini(&out);
}

static const struct trouble_row {
    const char *document;
    const char *parts[4];
    const char *until; /* when a replayed signal is sent; NULL: now */
} troubles[] = {
    {DOCUMENT(
         "\"signals\":{\"due\":12,\"dead\":7,\"oldestDueAgeMs\":5116,\"deadBy\":[{\"class\":"
         "\"refused\",\"code\":\"FORBIDDEN\",\"count\":4},{\"class\":\"transient\",\"code\":null,"
         "\"count\":1},{\"class\":null,\"code\":null,\"count\":1}],\"deadByOf\":6}",
         STORE, SENDING(""), TOKEN),
     {"Working. 7 applications are dead.\n  Next: `seek-signal dead list`",
      "12 wait, the oldest is due for 5 s\n",
      "7 dead, of the latest 6: 4 FORBIDDEN, 1 transient, 1 of other causes\n"},
     NULL},
    {DOCUMENT("\"signals\":{\"due\":null,\"dead\":null,\"oldestDueAgeMs\":null,\"deadBy\":[],"
              "\"deadByOf\":null}",
              "\"store\":{\"ready\":false,\"durability\":null,\"reason\":\"Redis is away: "
              "refused\",\"clockAheadMs\":null}",
              SENDING(""), TOKEN),
     {"Redis is away: refused. Events get 503 meanwhile, and nothing is sent.\n  Next: ",
      "Signals       not known", "Redis         not ready\n"},
     NULL},
    {DOCUMENT(
         SIGNALS, "\"store\":{\"ready\":false}",
         SENDING("") ",\"spool\":{\"able\":true,"
                     "\"records\":2,\"bytes\":2048,\"bytesMax\":268435456,\"oldestAgeMs\":61000,"
                     "\"reason\":null}",
         TOKEN),
     {"Redis has not answered yet. Events are kept on this machine's disk meanwhile",
      "2 events wait for Redis, the oldest for 1 min 1 s (2.0 KiB of 256 MiB)\n"},
     NULL},
    {DOCUMENT("\"signals\":{\"dead\":1}", STORE,
              "\"sending\":{\"breaker\":\"closed\",\"paused\":true,\"pausedSince\":"
              "\"2026-01-02T02:59:05.000Z\"}",
              TOKEN),
     {"Sending is paused, since 5 min ago, 2026-01-02 02:59:05 UTC. Events are still accepted. "
      "1 application is dead.\n",
      "`seek-signal resume`"},
     "after `seek-signal resume`"},
    {DOCUMENT(SIGNALS, STORE, "\"sending\":{\"breaker\":\"open\",\"lastError\":\"HTTP_503: gone\"}",
              TOKEN),
     {"SEEK is down, and sending is on hold.", "last failure HTTP_503: gone\n"},
     "when SEEK is back"},
    {DOCUMENT(SIGNALS, STORE, "\"sending\":{\"breaker\":\"probing\"}", TOKEN),
     {"SEEK is down, and sending is on hold."},
     "when SEEK is back"},
    {DOCUMENT(
         SIGNALS, STORE, SENDING(""),
         "\"accessToken\":{\"valid\":false,\"failingForMs\":61000,\"lastError\":\"HTTP 401\"}"),
     {"No access token can be fetched for 1 min 1 s, and sending is on hold.",
      "Access token  none\n              fetching fails for 1 min 1 s: HTTP 401\n"},
     "when an access token is there"},
    {DOCUMENT(SIGNALS, STORE, SENDING(""),
              "\"accessToken\":{\"valid\":true,\"expiresInMs\":5000,\"failingForMs\":1000,"
              "\"lastError\":\"HTTP 401\"}"),
     {"No new access token can be fetched for 1 s. The last one is used while SEEK accepts it.\n"
      "  Next: `seek-signal check`.",
      "valid for 5 s\n              fetching fails for 1 s: HTTP 401\n"},
     NULL},
    {DOCUMENT(SIGNALS, STORE, "\"sending\":{\"breaker\":\"closed\",\"throttledForMs\":300000}",
              TOKEN),
     {"SEEK is rate-limiting us. Sending goes on in 5 min.\n"},
     "when SEEK's rate limit is over"},
    {DOCUMENT(SIGNALS, STORE, "\"sending\":{\"paused\":true,\"movedTo\":\"redis://b\"}", TOKEN),
     {"Moved: the signals of this Redis are sent from redis://b now.\n  Next: point clients"},
     NULL},
    {DOCUMENT(SIGNALS, STORE, "\"sending\":{\"paused\":false,\"movedTo\":\"redis://b\"}", TOKEN),
     {"Moved to redis://b, but sending here was resumed: ", "`seek-signal pause`"},
     NULL},
    {"{\"version\":\"1\",\"draining\":true," STORE "}",
     {"Stopping: signals in progress are finished first.\n\nRedis "},
     NULL},
    {DOCUMENT(SIGNALS,
              "\"store\":{\"ready\":true,\"durability\":\"fsync\",\"reason\":\"1 shards are away\","
              "\"shards\":64,\"shardsReady\":63,\"nodes\":[{\"address\":\"a:1\",\"shards\":1,"
              "\"ready\":false,\"reason\":\"refused\"},{\"address\":\"b:1\",\"shards\":63,"
              "\"ready\":true,\"reason\":null}]}",
              SENDING(""), TOKEN),
     {"note: 1 shards are away\n              63 of 64 shards ready\n"
      "              node a:1, 1 shards: refused\nProcess"},
     NULL},
};

static void says_first_what_is_wrong_and_what_to_do(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof troubles / sizeof troubles[0]; i++) {
        struct error error;
        const struct trouble_row *trouble = &troubles[i];
        must_say(overview_write, trouble->document, trouble->parts);
        AUTO(json) *json = json_parse(trouble->document, strlen(trouble->document), &error);
        const struct overview_hold *hold = overview_hold(json_root(json));
        assert_int_equal(hold != NULL, trouble->until != NULL);
        if (hold != NULL)
            assert_string_equal(hold->until, trouble->until);
    }
}

static void says_the_state_of_an_application_first(void **state)
{
    (void)state;
    struct error error;
    struct buffer out;
    static const char document[] =
        "{\"applicationId\":\"A-1001\",\"state\":\"dead\",\"generation\":7,\"attempts\":2,"
        "\"eventId\":\"1d3a9a54-2f0e-4c1b-9d7e-8a5100000000\",\"tokenFingerprint\":\"00ff\","
        "\"acceptedAt\":\"2026-01-02T03:03:05.000Z\",\"diedAt\":\"2026-01-02T03:04:00.000Z\","
        "\"requestIds\":[\"r-2\",\"r-1\"],\"requestIdsTotal\":2,\"history\":[{\"attempt\":2,"
        "\"at\":\"2026-01-02T03:04:00.000Z\",\"requestId\":\"r-2\",\"class\":\"refused\",\"code\":"
        "\"FORBIDDEN\"},{\"attempt\":1,\"at\":\"2026-01-02T03:03:05.000Z\",\"requestId\":\"r-1\","
        "\"class\":\"transient\"}],\"lastError\":{\"class\":\"refused\",\"code\":\"FORBIDDEN\","
        "\"message\":\"No \\u001bhirer\",\"httpStatus\":200}}";
    buffer_init(&out, ROWS_BYTES_MAX);
    AUTO(json) *json = json_parse(document, strlen(document), &error);
    assert_non_null(json);
    overview_write_application(&out, json_root(json), NOW_MS);
    assert_string_equal(
        out.bytes,
        "A-1001 is dead: SEEK refused its signal.\n"
        "  FORBIDDEN: No \\u001bhirer\n"
        "  Next: ask SEEK to set up the relationship with this hirer. Then `seek-signal replay "
        "A-1001` sends it again. More: FORBIDDEN in docs/troubleshooting.md.\n"
        "\n"
        "Accepted      1 min ago, 2026-01-02 03:03:05 UTC\n"
        "Died          5 s ago, 2026-01-02 03:04:00 UTC\n"
        "Attempts      2, the newest first:\n"
        "              2    5 s ago, 2026-01-02 03:04:00 UTC             refused, FORBIDDEN\n"
        "              1    1 min ago, 2026-01-02 03:03:05 UTC           transient\n"
        "\n"
        "SEEK's support asks for the request ids, the newest first:\n"
        "Request ids   r-2\n"
        "              r-1\n"
        "Event id      1d3a9a54-2f0e-4c1b-9d7e-8a5100000000\n"
        "Fingerprint   00ff\n");
    buffer_fini(&out);
}

static void says_of_each_state_what_it_means(void **state)
{
    (void)state;
    static const struct {
        const char *document;
        const char *parts[4];
    } cases[] = {
        {"{\"applicationId\":\"A 1\",\"state\":\"draft\",\"attempts\":0,\"history\":[]}",
         {"A 1 is a draft: ", "Attempts      0\n"}},
        {"{\"applicationId\":\"A\",\"state\":\"pending\",\"attempts\":3,\"nextAttemptAt\":"
         "\"2026-01-02T03:05:05Z\",\"history\":[{\"attempt\":3,\"at\":\"2026-01-02T03:04:05Z\","
         "\"class\":\"transient\"}],\"lastError\":{\"class\":\"transient\",\"code\":\"HTTP_503\"}}",
         {"A is pending: its signal waits for an attempt.\n  Last failure: HTTP_503\n",
          "Next attempt  in 1 min, ", "Attempts      3, of which these are known:\n"}},
        {"{\"applicationId\":\"A\",\"state\":\"delivered\",\"attempts\":1,\"lastError\":{\"class\":"
         "\"transient\"}}",
         {"A is delivered: SEEK has its signal.\n\nAttempts      1\n"}},
        {"{\"applicationId\":\"A 1\",\"state\":\"dead\",\"lastError\":{\"class\":\"auth\","
         "\"code\":\"OTHER\"}}",
         {"A 1 is dead: its event grew too old to be tried again.\n",
          "Next: look at the access token: `seek-signal check`. Then `seek-signal replay ID`",
          "More: OTHER in"}},
        {"{\"applicationId\":\"A\",\"state\":\"dead\"}", {"A is dead: "}},
        {"{\"applicationId\":\"A\",\"state\":\"dead\",\"lastError\":{\"class\":\"damaged\"}}",
         {"A is dead: another program has changed its data in Redis.\n  damaged\n  Next: "}},
        {"{\"applicationId\":\"A\",\"state\":\"new\"}", {"A is new.\n"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        must_say(overview_write_application, cases[i].document, cases[i].parts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("says what works, and nothing that is 0 or not known",
           says_what_works_and_nothing_that_is_nought),
        IT("says first what is wrong and what to do", says_first_what_is_wrong_and_what_to_do),
        IT("says the state of an application first", says_the_state_of_an_application_first),
        IT("says of each state what it means", says_of_each_state_what_it_means),
    };
    return cmocka_run_group_tests_name("overview", tests, NULL, NULL);
}

/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/json.h"
#include "lib/base/log.h"

#include "tests/support/specification.h"

/* Standard error as the logger sees it. */
static struct {
    char bytes[128 * 1024];
    size_t length;
    unsigned calls;
    size_t most_per_call; /* 0: takes everything */
    unsigned interrupted; /* calls that fail with EINTR first */
    bool is_broken;
} sink;

ssize_t __real_write(int fd, const void *bytes, size_t length);
ssize_t __wrap_write(int fd, const void *bytes, size_t length);
int64_t __wrap_clock_wall_ms(void);

ssize_t __wrap_write(int fd, const void *bytes, size_t length)
{
    if (fd != STDERR_FILENO)
        return __real_write(fd, bytes, length);
    sink.calls++;
    if (sink.interrupted > 0 || sink.is_broken) {
        sink.interrupted -= sink.interrupted > 0;
        errno = sink.is_broken ? EPIPE : EINTR;
        return -1;
    }
    if (sink.most_per_call > 0 && length > sink.most_per_call)
        length = sink.most_per_call;
    assert_true(sink.length + length < sizeof sink.bytes);
    memcpy(sink.bytes + sink.length, bytes, length);
    sink.length += length;
    sink.bytes[sink.length] = '\0';
    return (ssize_t)length;
}

int64_t __wrap_clock_wall_ms(void)
{
    return 1767323045678;
}

static int start_afresh(void **state)
{
    (void)state;
    memset(&sink, 0, sizeof sink);
    log_configure(LOG_INFO, LOG_FORMAT_JSON);
    return 0;
}

static void must_be_one_json_line(void)
{
    struct error error = {.message = ""};
    assert_true(sink.length > 0);
    assert_true(sink.bytes[sink.length - 1] == '\n');
    assert_ptr_equal(strchr(sink.bytes, '\n'), sink.bytes + sink.length - 1);
    struct json *json = json_parse(sink.bytes, sink.length, &error);
    if (json == NULL)
        fail_msg("%s: %s", error.message, sink.bytes);
    json_destroy(json);
}

static void writes_json(void **state)
{
    (void)state;
    log_warn("redis_lost", "Redis is away", LOG_TEXT("address", "127.0.0.1:6379"),
             LOG_INT("retry_in_ms", 250));
    assert_string_equal(sink.bytes, "{\"time\":\"2026-01-02T03:04:05.678Z\",\"level\":\"warn\","
                                    "\"event\":\"redis_lost\",\"message\":\"Redis is away\","
                                    "\"address\":\"127.0.0.1:6379\",\"retry_in_ms\":250}\n");
    assert_int_equal(sink.calls, 1);
    must_be_one_json_line();
}

static void writes_text(void **state)
{
    (void)state;
    log_configure(LOG_DEBUG, LOG_FORMAT_TEXT);
    log_info("started", "Listening", LOG_TEXT("address", "unix:/run/x"), LOG_INT("pid", -1));
    log_error("odd", "Values in need of quotes", LOG_TEXT("space", "va lue"),
              LOG_TEXT("quote", "\""), LOG_TEXT("equals", "a=b"),
              LOG_TEXT("utf8", "z\xc3\xbc\xc2\xa0"));
    log_debug("d", "m");
    log_warn("w", "m");
    assert_string_equal(
        sink.bytes, "2026-01-02T03:04:05.678Z INFO  started  Listening address=unix:/run/x pid=-1\n"
                    "2026-01-02T03:04:05.678Z ERROR odd  Values in need of quotes space=\"va lue\" "
                    "quote=\"\\\"\" equals=\"a=b\" utf8=z\xc3\xbc\xc2\xa0\n"
                    "2026-01-02T03:04:05.678Z DEBUG d  m\n"
                    "2026-01-02T03:04:05.678Z WARN  w  m\n");
    assert_int_equal(sink.calls, 4);
}

static void says_only_what_the_level_asks_for(void **state)
{
    (void)state;
    static const enum log_level levels[] = {LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR};
    for (size_t least = 0; least < 4; least++) {
        sink.calls = 0;
        sink.length = 0;
        log_configure(levels[least], LOG_FORMAT_JSON);
        log_debug("e", "m");
        log_info("e", "m");
        log_warn("e", "m");
        log_error("e", "m");
        assert_int_equal(sink.calls, 4 - least);
        for (size_t i = 0; i < 4; i++)
            assert_int_equal(log_is_enabled(levels[i]), i >= least);
    }
}

static void name_journal(uintmax_t inode_beside)
{
    char stream[64];
    struct stat status;
    assert_int_equal(fstat(STDERR_FILENO, &status), 0);
    (void)snprintf(stream, sizeof stream, "%ju:%ju", (uintmax_t)status.st_dev,
                   (uintmax_t)status.st_ino + inode_beside);
    log_name_journal(stream);
}

static void tells_the_journal_the_level(void **state)
{
    (void)state;
    for (enum log_format format = LOG_FORMAT_JSON; format <= LOG_FORMAT_TEXT; format++) {
        const char *begin = format == LOG_FORMAT_JSON ? "{\"time\":" : "2026-01-02T";
        static const char *const levels[] = {"<7>", "<6>", "<4>", "<3>"};
        for (enum log_level level = LOG_DEBUG; level <= LOG_ERROR; level++) {
            name_journal(0);
            log_configure(LOG_DEBUG, format);
            sink.length = 0;
            log_at(level, "e", "m");
            assert_memory_equal(sink.bytes, levels[level], 3);
            assert_memory_equal(sink.bytes + 3, begin, strlen(begin));
        }
        name_journal(1); /* standard error has been redirected */
        log_configure(LOG_DEBUG, format);
        sink.length = 0;
        log_error("e", "m");
        assert_memory_equal(sink.bytes, begin, strlen(begin));
    }
    log_name_journal(NULL);
}

static const char *const hostile[] = {
    "two\nlines",
    "\r\n2026-01-02T03:04:05.678Z ERROR forged",
    "\x1b[2Jterminal",
    "\xc2\x9bmterminal",
    "\x7f",
    "\xff\xfe",
    "cut \xe2\x82",
    "\"},{\"level\":\"error\"",
    "tab\tand\x01",
};

static void nothing_in_a_value_can_forge_a_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
        for (enum log_format format = LOG_FORMAT_JSON; format <= LOG_FORMAT_TEXT; format++) {
            (void)start_afresh(NULL);
            log_configure(LOG_INFO, format);
            log_info(hostile[i], hostile[i], LOG_TEXT("value", hostile[i]));
            if (format == LOG_FORMAT_JSON)
                must_be_one_json_line();
            assert_true(utf8_is_valid(sink.bytes, sink.length));
            assert_null(strstr(sink.bytes, "\xc2\x9b"));
            for (size_t at = 0; at < sink.length - 1; at++)
                assert_true((unsigned char)sink.bytes[at] >= 0x20 && sink.bytes[at] != 0x7f);
            assert_true(sink.bytes[sink.length - 1] == '\n');
        }
    }
}

static void an_empty_text_is_left_out(void **state)
{
    (void)state;
    log_info("e", "m", LOG_TEXT("none", NULL), LOG_TEXT("empty", ""), LOG_INT("zero", 0));
    assert_non_null(strstr(sink.bytes, ",\"message\":\"m\",\"zero\":0}\n"));
    log_configure(LOG_INFO, LOG_FORMAT_TEXT);
    log_info("e", "m", LOG_TEXT("none", NULL), LOG_TEXT("last", "x"));
    assert_non_null(strstr(sink.bytes, "  m last=x\n"));
}

static void a_value_over_16384_bytes_is_cut_and_ends_with_its_length(void **state)
{
    (void)state;
    static char much[20000];
    memset(much, 'x', sizeof much - 1);
    log_info("e", "m", LOG_TEXT("much", much), LOG_INT("after", 1));
    must_be_one_json_line();
    const char *value = strstr(sink.bytes, "\"much\":\"") + strlen("\"much\":\"");
    assert_int_equal(strspn(value, "x"), 16384);
    assert_memory_equal(value + 16384, " [cut: 19999 bytes in all]\"", 27);
    assert_non_null(strstr(sink.bytes, "\"after\":1}"));

    (void)start_afresh(NULL);
    much[16384] = '\0';
    log_info("e", "m", LOG_TEXT("much", much));
    assert_null(strstr(sink.bytes, "cut"));
    much[16384] = 'x';

    (void)start_afresh(NULL);
    log_configure(LOG_INFO, LOG_FORMAT_TEXT);
    log_info(much, much, LOG_TEXT("much", much));
    assert_true(sink.length < 2 * 4096 + 16384 + 200);
    assert_non_null(strstr(sink.bytes, "xx [cut: 19999 bytes in all]\"\n"));
    assert_int_equal(sink.calls, 1);
}

static void fields_that_do_not_fit_are_left_out_and_said_so(void **state)
{
    (void)state;
    static char worst[5000]; /* six bytes each when escaped */
    memset(worst, '\x01', sizeof worst - 1);
    for (enum log_format format = LOG_FORMAT_JSON; format <= LOG_FORMAT_TEXT; format++) {
        (void)start_afresh(NULL);
        log_configure(LOG_INFO, format);
        log_info(worst, worst, LOG_TEXT("a", worst), LOG_INT("small", 7), LOG_TEXT("b", worst));
        const char *end =
            format == LOG_FORMAT_JSON ? ",\"small\":7,\"cut\":true}\n" : " small=7 cut=true\n";
        assert_string_equal(sink.bytes + sink.length - strlen(end), end);
    }
    log_configure(LOG_INFO, LOG_FORMAT_JSON);
    sink.length = 0;
    log_info(worst, worst, LOG_TEXT("a", worst));
    must_be_one_json_line();
}

static void an_interrupted_or_partial_write_is_finished(void **state)
{
    (void)state;
    sink.interrupted = 2;
    sink.most_per_call = 10;
    log_info("e", "a message longer than ten bytes");
    must_be_one_json_line();
}

static void a_broken_sink_is_given_up_and_errno_kept(void **state)
{
    (void)state;
    sink.is_broken = true;
    errno = EAGAIN;
    log_info("e", "m");
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(sink.calls, 1);
}

static size_t lines_written(void)
{
    size_t count = 0;
    for (size_t i = 0; i < sink.length; i++)
        count += sink.bytes[i] == '\n';
    return count;
}

static void gathered_lines_leave_together(void **state)
{
    (void)state;
    log_gather();
    log_info("first", "m");
    log_info("second", "m");
    assert_int_equal(sink.calls, 0);
    log_release();
    assert_int_equal(sink.calls, 1);
    assert_int_equal(lines_written(), 2);
    assert_true(strstr(sink.bytes, "first") < strstr(sink.bytes, "second"));
    log_info("third", "m");
    assert_int_equal(sink.calls, 2);
}

static void a_warning_takes_gathered_lines_along(void **state)
{
    (void)state;
    log_gather();
    log_info("before", "m");
    log_warn("now", "m");
    assert_int_equal(sink.calls, 1);
    assert_int_equal(lines_written(), 2);
    log_release();
    assert_int_equal(lines_written(), 2);
}

/* Whole lines, and no more than a pipe takes in one piece. */
static void many_gathered_lines_leave_in_pieces(void **state)
{
    (void)state;
    static char large[3000];
    memset(large, 'x', sizeof large - 1);
    log_gather();
    for (unsigned i = 1; i <= 5; i++) {
        log_info("e", "m", LOG_TEXT("value", large));
        assert_int_equal(sink.calls, i - 1);
        assert_int_equal(lines_written(), i - 1);
    }
    for (unsigned i = 0; i < 2; i++)
        log_info("e", "m", LOG_TEXT("value", large), LOG_TEXT("again", large)); /* over a piece */
    log_info("last", "m");
    log_release();
    assert_int_equal(lines_written(), 8);
    assert_int_equal(sink.calls, 8);
}

int main(void)
{
#define LOGS(sentence, function) IT_WITH(sentence, function, start_afresh, NULL)
    const struct CMUnitTest tests[] = {
        LOGS("writes JSON", writes_json),
        LOGS("writes text", writes_text),
        LOGS("says only what the level asks for", says_only_what_the_level_asks_for),
        LOGS("tells the journal the level, and nobody else", tells_the_journal_the_level),
        LOGS("lets nothing in a value forge a line", nothing_in_a_value_can_forge_a_line),
        LOGS("leaves out a text that is NULL or empty", an_empty_text_is_left_out),
        LOGS("cuts a value over 16384 bytes and says how long it is",
             a_value_over_16384_bytes_is_cut_and_ends_with_its_length),
        LOGS("leaves out fields that do not fit and says so",
             fields_that_do_not_fit_are_left_out_and_said_so),
        LOGS("finishes an interrupted or partial write",
             an_interrupted_or_partial_write_is_finished),
        LOGS("gives up a broken sink and keeps errno", a_broken_sink_is_given_up_and_errno_kept),
        LOGS("lets gathered lines leave together", gathered_lines_leave_together),
        LOGS("lets a warning take gathered lines along", a_warning_takes_gathered_lines_along),
        LOGS("writes many gathered lines in pieces of whole lines",
             many_gathered_lines_leave_in_pieces),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}

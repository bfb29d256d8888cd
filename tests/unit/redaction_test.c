/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "lib/base/redaction.h"

#include "tests/support/failing_malloc.h"
#include "tests/support/specification.h"

/* What is special in URLs, HTML, JSON and base64 is in here. */
#define SECRET "q7Rt/2+x&Yz\"9\\Lm<0>Kd=%4 p~W"

/* Each written by another program: Python's urllib, html, json, base64. */
static const struct {
    const char *spelling, *text;
} shown[] = {
    {"itself", "no such secret: " SECRET "!"},
    {"in capitals", "NO SUCH SECRET: Q7RT/2+X&YZ\"9\\LM<0>KD=%4 P~W"},
    {"in lower case", "q7rt/2+x&yz\"9\\lm<0>kd=%4 p~w"},
    {"cut", "no such secret: q7Rt/2+x…"},
    {"cut at its begin", "…Kd=%4 p~W"},
    {"cut out of its middle", "(Lm<0>Kd=)"},
    {"percent-encoded", "secret=q7Rt%2F2%2Bx%26Yz%229%5CLm%3C0%3EKd%3D%254%20p~W&"},
    {"in a form", "secret=q7Rt%2F2%2Bx%26Yz%229%5CLm%3C0%3EKd%3D%254+p%7EW&"},
    {"percent-encoded in lower case", "q7rt%2f2%2bx%26yz%229%5clm%3c0%3ekd%3d%254%20p~w"},
    {"each byte percent-encoded", "%71%37%52%74%2F%32%2B%78"},
    {"percent-encoded twice", "q7Rt%252F2%252Bx%2526Yz%25229%255C"},
    {"percent-encoded three times", "q7%25252F q7Rt%25252F2%25252Bx%252526Yz"},
    {"percent-encoded and cut", "secret=Kd%3D%254%20p~"},
    {"in HTML", "<p>q7Rt/2+x&amp;Yz&quot;9\\Lm&lt;0&gt;Kd=%4 p~W</p>"},
    {"in HTML with numbers", "Yz&#34;9\\Lm&#60;0&#x3e;"},
    {"in HTML with zeros", "&#0000000113;&#0055;&#X52;&#x0074;/2+x"},
    {"in HTML in capitals", "<P>X&AMP;YZ&QUOT;9\\LM</P>"},
    {"in HTML twice", "x&amp;amp;Yz&amp;quot;9\\Lm"},
    {"in JSON", "{\"secret\":\"q7Rt\\/2+x&Yz\\\"9\\\\Lm<0>Kd=%4 p~W\"}"},
    {"in JSON without ASCII's special characters", "x\\u0026Yz\\u00229\\u005cLm\\u003c0\\u003eKd"},
    {"in JSON in capitals", "X\\U0026YZ\\U00229\\U005CLM"},
    {"in JSON inside of JSON", "\"x&Yz\\\\\\\"9\\\\\\\\Lm<0>\""},
    {"as C writes it", "\\x71\\x37\\x52\\x74\\x2f\\x32\\x2b\\x78"},
    {"in hexadecimal", "0x717374: 713752742f322b7826597a22395c4c6d3c303e4b643d253420707e57"},
    {"in hexadecimal behind a digit", "a713752742f322b7826597a"},
    {"in hexadecimal in capitals", "713752742F322B7826597A22"},
    {"in base64", "secret cTdSdC8yK3gmWXoiOVxMbTwwPktkPSU0IHB+Vw== is wrong"},
    {"in base64url", "cTdSdC8yK3gmWXoiOVxMbTwwPktkPSU0IHB-Vw"},
    {"in base64 behind one byte", "OnE3UnQvMit4Jll6IjlcTG08MD5LZD0lNCBwflc="},
    {"in base64 behind two bytes", "YTpxN1J0LzIreCZZeiI5XExtPDA+S2Q9JTQgcH5X"},
    {"in base64 behind a user", "Basic Y2xpZW50LTE6cTdSdC8yK3gmWXoiOVxMbTwwPktkPSU0IHB+Vw=="},
    {"in base64 behind other digits", "tokencTdSdC8yK3gmWXoiOVxMbTww"},
    {"in base64 and cut", "XoiOVxMbTwwPktkPSU"},
    {"in base64 in lines", "cTdSdC8y\r\nK3gmWXoi\r\nOVxMbTww"},
    {"in base64 in a URL", "auth=cTdSdC8yK3gmWXoiOVxMbTwwPktkPSU0IHB%2BVw%3D%3D"},
    {"in base64 in JSON", "\"cTdSdC8yK3gm\\u0057XoiOVxMbTwwPktk\""},
    {"in base64 twice", "Y1RkU2RDOHlLM2dtV1hvaU9WeE1iVHd3UGt0a1BTVTBJSEIrVnc9PQ=="},
    {"percent-encoded in base64",
     "cTdSdCUyRjIlMkJ4JTI2WXolMjI5JTVDTG0lM0MwJTNFS2QlM0QlMjU0JTIwcH5X"},
};

static const char *const secrets[] = {"", NULL, "another one altogether", SECRET};
static const struct redaction redaction = {secrets, sizeof secrets / sizeof secrets[0]};

static void finds_every_usual_spelling(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
        char text[512];
        if (!redaction_is_needed(&redaction, shown[i].text, strlen(shown[i].text)))
            fail_msg("not found %s", shown[i].spelling);
        (void)snprintf(text, sizeof text, "%s", shown[i].text);
        redaction_apply(&redaction, text, sizeof text);
        if (redaction_is_needed(&redaction, text, strlen(text)))
            fail_msg("still there %s: %s", shown[i].spelling, text);
    }
}

static void finds_what_is_an_access_token(void **state)
{
    (void)state;
    static const char token[] = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2F1dGguc2Vlay5jb20vIn0."
                                "dGhpcyBpcyBubyBzaWduYXR1cmU_-QQ";
    static const char *const tokens[] = {token};
    static const struct redaction one = {tokens, 1};
    static const char *const texts[] = {
        "Bearer eyJhbGciOiJSUzI1NiJ9.eyJpc3Mi", "bearer eyjhbgcioijsuzi1nij9",
        "aHR0cHM6Ly9hdXRoLnNlZWs=", "token=eyJhbGciOiJSUzI1NiJ9%2EeyJpc3Mi",
        "ZXlKaGJHY2lPaUpTVXpJMU5pSjkuZXlKcGMzTWk"};
    assert_true(redaction_is_needed(&one, texts[0], strlen(texts[0])));
    assert_true(redaction_is_needed(&one, texts[1], strlen(texts[1])));
    assert_false(redaction_is_needed(&one, texts[2], strlen(texts[2])));
    assert_true(redaction_is_needed(&one, texts[3], strlen(texts[3])));
    assert_true(redaction_is_needed(&one, texts[4], strlen(texts[4])));
}

static void leaves_other_texts_alone(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "/input/token: Is not valid",
        "Unknown client or invalid credentials.",
        "%",
        "%4",
        "%zz",
        "&",
        "&#",
        "&#;",
        "&#x;",
        "&unknown;",
        "&#1114112;",
        "\\",
        "\\u",
        "\\u12",
        "\\u0000 \\x",
        "cTdSdC8y",
        "====",
        "q7Rt/2+",
        "q7Rt/2+ x&Yz",
        "p~W",
        "7137527",
        "Authentication of the client failed (unsupported authentication method).",
        "{\"errors\":[{\"message\":\"m\",\"extensions\":{\"code\":\"FORBIDDEN\"}}]}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char text[512];
        assert_false(redaction_is_needed(&redaction, texts[i], strlen(texts[i])));
        (void)snprintf(text, sizeof text, "%s", texts[i]);
        redaction_apply(&redaction, text, sizeof text);
        assert_string_equal(text, texts[i]);
    }
}

static void puts_stars_only_where_the_secret_is(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"/input/token: \"abcdefghijkl\" is not valid",
         "/input/token: \"************\" is not valid"},
        {"ABCDEFGHIJKL and abcdefgh", "************ and ********"},
        {"xabcdefghijklabcdefghijklx", "x************************x"},
        {"abcdefg hijkl", "abcdefg hijkl"},
        {"short", "short"},
    };
    static const char *const one[] = {"abcdefghijkl"};
    static const struct redaction plain = {one, 1};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[64];
        (void)snprintf(text, sizeof text, "%s", cases[i][0]);
        redaction_apply(&plain, text, sizeof text);
        assert_string_equal(text, cases[i][1]);
    }
}

static void gives_up_the_whole_text_for_another_spelling(void **state)
{
    (void)state;
    char text[64] = "client_secret=q7Rt%2F2%2Bx%26Yz";
    redaction_apply(&redaction, text, sizeof text);
    assert_string_equal(text, "[hidden: it repeats a secret]");
    char narrow[] = "q7Rt%2F2%2Bx";
    redaction_apply(&redaction, narrow, sizeof narrow);
    assert_string_equal(narrow, "[hidden: it ");
}

static void looks_for_a_short_secret_as_a_whole(void **state)
{
    (void)state;
    static const char *const short_ones[] = {"s3cr3", "abc", "a"};
    static const struct redaction some = {short_ones, 3};
    static const struct {
        const char *text;
        bool is_needed;
    } cases[] = {{"is s3cr3?", true}, {"is S3CR3?", true}, {"s3c%723", true}, {"czNjcjM=", true},
                 {"s3cr", false},     {"abc", false},      {"a", false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_true(redaction_is_needed(&some, cases[i].text, strlen(cases[i].text)) ==
                    cases[i].is_needed);
}

/* No memory to look with is no reason to show anything. */
static void hides_what_it_has_no_memory_to_look_at(void **state)
{
    (void)state;
    char text[] = "an innocent text that is long enough";
    failing_malloc_arm(0);
    redaction_apply(&redaction, text, sizeof text);
    assert_true(failing_malloc_disarm());
    assert_string_equal(text, "[hidden: it repeats a secret]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("finds a secret in every usual spelling", finds_every_usual_spelling),
        IT("finds an access token", finds_what_is_an_access_token),
        IT("leaves other texts alone", leaves_other_texts_alone),
        IT("puts stars only where the secret is", puts_stars_only_where_the_secret_is),
        IT("gives up the whole text for another spelling",
           gives_up_the_whole_text_for_another_spelling),
        IT("looks for a short secret as a whole", looks_for_a_short_secret_as_a_whole),
        IT("hides what it has no memory to look at", hides_what_it_has_no_memory_to_look_at),
    };
    return cmocka_run_group_tests_name("redaction", tests, NULL, NULL);
}

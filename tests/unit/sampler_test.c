/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/tracing/sampler.h"

#include "tests/support/specification.h"

#define TRACE(random) "00-4bf92f3577b34da6" random "-00f067aa0ba902b7-00"
#define SAMPLED "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
#define NOT_SAMPLED "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-02"

static void decides(void **state)
{
    (void)state;
    enum { OWN = false, PARENT = true };
    static const struct {
        struct sampler sampler;
        const char *parent, *own;
        bool is_taken;
    } cases[] = {
        {{SAMPLER_ALWAYS, OWN, 1}, "", TRACE("a3ce929d0e0e4736"), true},
        {{SAMPLER_ALWAYS, OWN, 1}, NOT_SAMPLED, NOT_SAMPLED, true},
        {{SAMPLER_NEVER, OWN, 1}, SAMPLED, SAMPLED, false},
        /* The parent's decision is followed in both directions, whatever the rule. */
        {{SAMPLER_ALWAYS, PARENT, 1}, "", TRACE("a3ce929d0e0e4736"), true},
        {{SAMPLER_ALWAYS, PARENT, 1}, NOT_SAMPLED, NOT_SAMPLED, false},
        {{SAMPLER_NEVER, PARENT, 1}, "", TRACE("a3ce929d0e0e4736"), false},
        {{SAMPLER_NEVER, PARENT, 1}, SAMPLED, SAMPLED, true},
        {{SAMPLER_RATIO, PARENT, 0}, SAMPLED, SAMPLED, true},
        {{SAMPLER_RATIO, PARENT, 1}, NOT_SAMPLED, NOT_SAMPLED, false},
        /* The last 64 bits of the trace id are below the ratio of all. */
        {{SAMPLER_RATIO, OWN, 0}, "", TRACE("0000000000000000"), false},
        {{SAMPLER_RATIO, OWN, 0.25}, "", TRACE("0000000000000000"), true},
        {{SAMPLER_RATIO, OWN, 0.25}, "", TRACE("3fffffffffffffff"), true},
        {{SAMPLER_RATIO, OWN, 0.25}, "", TRACE("4000000000000000"), false},
        {{SAMPLER_RATIO, OWN, 0.5}, "", TRACE("7fffffffffffffff"), true},
        {{SAMPLER_RATIO, OWN, 0.5}, "", TRACE("8000000000000000"), false},
        {{SAMPLER_RATIO, PARENT, 0.5}, "", TRACE("8000000000000000"), false},
        {{SAMPLER_RATIO, OWN, 0.5}, SAMPLED, TRACE("8000000000000000"), false},
        {{SAMPLER_RATIO, OWN, 1}, "", TRACE("ffffffffffffffff"), true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (sampler_takes(&cases[i].sampler, cases[i].parent, cases[i].own) != cases[i].is_taken)
            fail_msg("case %zu", i);
    }
}

static void reads_ratios(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double ratio; /* -1: refused */
    } cases[] = {
        {"0", 0},    {"1", 1},    {"0.25", 0.25}, {".5", 0.5}, {"1e-3", 0.001}, {"1.0", 1},
        {"", -1},    {"1.1", -1}, {"-0.1", -1},   {"-0", -1},  {" 0.5", -1},    {"0.5 ", -1},
        {"0,5", -1}, {"nan", -1}, {"inf", -1},    {"0x1", -1}, {"half", -1},    {".", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double ratio = -1;
        assert_int_equal(sampler_ratio_parse(cases[i].text, &ratio), cases[i].ratio >= 0);
        if (ratio < cases[i].ratio || ratio > cases[i].ratio)
            fail_msg("%s gave %f", cases[i].text, ratio);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("decides by rule, ratio and parent", decides),
        IT("reads a ratio from 0 to 1 and nothing else", reads_ratios),
    };
    return cmocka_run_group_tests_name("sampler", tests, NULL, NULL);
}

/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/tracing/sampler.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/ascii.h"

bool sampler_ratio_parse(const char *text, double *out)
{
    char *end = NULL;
    double ratio = strtod(text, &end);
    /* strtod takes more than OpenTelemetry means: white space, hexadecimal digits, "inf". */
    bool is_number = (ascii_is_digit(text[0]) || text[0] == '.') && end != text && *end == '\0' &&
                     strpbrk(text, "xXpP") == NULL;
    if (!is_number || ratio < 0 || ratio > 1)
        return false;
    *out = ratio;
    return true;
}

/* The last 64 bits of the trace id as a number: what most implementations take, so that services
 * with the same ratio record the same traces. */
static uint64_t random_of(const char *traceparent)
{
    char digits[SPAN_ID_DIGITS + 1] = {0};
    memcpy(digits, traceparent + TRACE_ID_AT + TRACE_ID_DIGITS - SPAN_ID_DIGITS, SPAN_ID_DIGITS);
    return strtoull(digits, NULL, 16);
}

bool sampler_takes(const struct sampler *sampler, const char *parent, const char *own)
{
    if (sampler->follows_parent && parent[0] != '\0')
        return trace_has_flag(parent, TRACE_SAMPLED);
    switch (sampler->rule) {
    case SAMPLER_ALWAYS:
        return true;
    case SAMPLER_NEVER:
        return false;
    case SAMPLER_RATIO:
        return (double)(random_of(own) >> 11) < sampler->ratio * (double)(UINT64_C(1) << 53);
    }
    assert(false);
    return false;
}

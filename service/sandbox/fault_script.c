/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/sandbox/fault_script.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct scripted {
    struct fault fault;
    int64_t used;
};

struct fault_script {
    uint64_t state;
    size_t count;
    struct scripted faults[FAULTS_MAX];
};

struct fault_script *fault_script_create(uint64_t seed, struct error *error)
{
    struct fault_script *script = calloc(1, sizeof *script);
    if (script == NULL) {
        (void)error_out_of_memory(error);
        return NULL;
    }
    script->state = seed;
    return script;
}

void fault_script_destroy(struct fault_script *script)
{
    free(script);
}

void fault_script_clear(struct fault_script *script)
{
    script->count = 0;
}

static bool add_one(struct fault_script *script, const struct json_value *object,
                    struct error *error)
{
    if (script->count == FAULTS_MAX)
        return error_set(error, ERROR_FULL, "more than %d faults", FAULTS_MAX);
    struct scripted *scripted = &script->faults[script->count];
    scripted->used = 0;
    if (!fault_read(object, &scripted->fault, error))
        return false;
    script->count++;
    return true;
}

bool fault_script_add(struct fault_script *script, const struct json_value *value,
                      struct error *error)
{
    if (json_type(value) != JSON_ARRAY)
        return add_one(script, value, error);
    const size_t count_before = script->count;
    for (size_t i = 0; i < json_array_length(value); i++)
        if (!add_one(script, json_array_item(value, i), error)) {
            script->count = count_before;
            return error_wrap(error, "fault %zu", i + 1);
        }
    return true;
}

/* SplitMix64: an additive counter and a finaliser; repeatable from its seed, which the kernel's
 * random numbers are not. */
static uint64_t next_random(struct fault_script *script)
{
    script->state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = script->state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

int64_t fault_script_random(struct fault_script *script, int64_t max)
{
    return max <= 0 ? 0 : (int64_t)(next_random(script) % ((uint64_t)max + 1));
}

static bool is_drawn(struct fault_script *script, double probability)
{
    if (probability >= 1)
        return true;
    /* The upper 53 bits are a fraction below 1. */
    return (double)(next_random(script) >> 11) * 0x1.0p-53 < probability;
}

static bool is_match(struct fault_script *script, const struct fault *fault,
                     enum fault_target target, const char *seek_token)
{
    if (fault->target != target)
        return false;
    if (fault->seek_token_contains[0] != '\0' &&
        (seek_token == NULL || strstr(seek_token, fault->seek_token_contains) == NULL))
        return false;
    return is_drawn(script, fault->probability);
}

static void use(struct fault_script *script, size_t index)
{
    struct scripted *scripted = &script->faults[index];
    scripted->used++;
    if (scripted->fault.count == 0 || scripted->used < scripted->fault.count)
        return;
    script->count--;
    memmove(scripted, scripted + 1, (script->count - index) * sizeof *scripted);
}

bool fault_script_take(struct fault_script *script, enum fault_target target,
                       const char *seek_token, struct fault *out)
{
    for (size_t i = 0; i < script->count; i++)
        if (is_match(script, &script->faults[i].fault, target, seek_token)) {
            *out = script->faults[i].fault;
            use(script, i);
            return true;
        }
    return false;
}

bool fault_script_write(const struct fault_script *script, struct buffer *buffer,
                        struct error *error)
{
    if (!buffer_append_text(buffer, "{\"faults\":[", error))
        return false;
    for (size_t i = 0; i < script->count; i++)
        if (!buffer_append_text(buffer, i == 0 ? "{" : ",{", error) ||
            !fault_write(&script->faults[i].fault, buffer, error) ||
            !buffer_append_format(buffer, error, ",\"used\":%" PRId64 "}", script->faults[i].used))
            return false;
    return buffer_append_text(buffer, "]}", error);
}

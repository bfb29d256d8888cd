/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/store/shard.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/crc32c.h"
#include "lib/base/random.h"

static const char *const names[SHARD_KEY_COUNT] = {
    [SHARD_APPLICATION] = "app:",
    [SHARD_DUE] = "due",
    [SHARD_DEAD] = "dead",
    [SHARD_PAUSED] = "paused",
    [SHARD_MARK] = "mark",
    [SHARD_CLAIM] = "claim:",
    [SHARD_LAYOUT] = "layout",
    [SHARD_SHARDS] = "shards",
    [SHARD_ENVIRONMENT] = "environment",
    [SHARD_NOTIFY] = "notify",
    [SHARD_HISTORY] = "history",
    [SHARD_MOVE] = "move",
    [SHARD_TRIAL] = "trial:",
    [SHARD_TRIAL_KEYS + SHARD_APPLICATION] = "trial:app:",
    [SHARD_TRIAL_KEYS + SHARD_DUE] = "trial:due",
    [SHARD_TRIAL_KEYS + SHARD_DEAD] = "trial:dead",
    [SHARD_TRIAL_KEYS + SHARD_PAUSED] = "trial:paused",
    [SHARD_TRIAL_APPLICATION] = ("trial:app:" SHARD_TRIAL_ID),
    [SHARD_TRIAL_CLAIM] = "trial:claim",
};

/* No brace, which would make another hash tag; nothing that an ACL's pattern or a shell reads. */
static const char characters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:";

const char *shard_prefix_mistake(const char *prefix)
{
    size_t length = strlen(prefix);
    bool is_fine = length > 0 && length <= SHARD_PREFIX_MAX && strspn(prefix, characters) == length;
    return is_fine ? NULL : "expected 1 to 64 of the characters a-z A-Z 0-9 - _ . :";
}

unsigned shard_of(const char *application_id, unsigned count)
{
    assert(count > 0 && count <= SHARD_COUNT_MAX);
    return count == 1 ? 0 : crc32c(0, application_id, strlen(application_id)) % count;
}

void shard_init(struct shard *shard, const char *prefix, unsigned number)
{
    assert(shard_prefix_mistake(prefix) == NULL);
    bool is_default = strcmp(prefix, SHARD_PREFIX_DEFAULT) == 0;
    bool was_there = is_default && number == 0;
    *shard =
        (struct shard){.number = number, .old_count_key = was_there ? SHARD_OLD_COUNT_KEY : ""};
    for (size_t i = 0; i < SHARD_KEY_COUNT; i++) {
        int length =
            snprintf(shard->keys[i], sizeof shard->keys[i], "%s:{%u}:%s", prefix, number, names[i]);
        assert(length > 0 && (size_t)length < sizeof shard->keys[i]);
    }
    char claimer[UUID_BYTES];
    uuid_v4(claimer);
    (void)snprintf(shard->claims.key, sizeof shard->claims.key, "%s%s", shard->keys[SHARD_CLAIM],
                   claimer);
    for (unsigned i = 0; i < SHARD_ACCEPTS_MAX; i++)
        (void)snprintf(shard->accepts[i].key, sizeof shard->accepts[i].key, "%s%s:%u",
                       shard->keys[SHARD_CLAIM], claimer, i);
}

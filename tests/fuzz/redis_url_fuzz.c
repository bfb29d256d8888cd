/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/net/redis_client.h"

#include "tests/fuzz/fuzz_target.h"

static void check_url(const struct redis_url *url)
{
    assert(memchr(url->host, '\0', sizeof url->host) != NULL);
    bool is_located = url->sentinels.count == 0 && url->seeds.count == 0;
    assert((url->host[0] != '\0') == is_located);
    assert(memchr(url->user, '\0', sizeof url->user) != NULL);
    assert(memchr(url->password, '\0', sizeof url->password) != NULL);
    assert(url->scheme == REDIS_UNIX || !is_located || url->port != 0);
    assert(url->scheme != REDIS_UNIX || url->host[0] == '/');
}

static void check_addresses(const struct redis_address addresses[], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert(memchr(addresses[i].host, '\0', sizeof addresses[i].host) != NULL);
        assert(addresses[i].host[0] != '\0' && addresses[i].port != 0);
    }
}

static void check_seeds(const struct redis_url *url)
{
    assert(url->seeds.count <= REDIS_SEEDS_MAX);
    assert(url->seeds.count == 0 || (url->sentinels.count == 0 && url->database == 0));
    check_addresses(url->seeds.addresses, url->seeds.count);
}

static void check_sentinels(const struct redis_sentinels *sentinels)
{
    assert(sentinels->count <= REDIS_SENTINELS_MAX);
    assert((sentinels->count > 0) == (sentinels->master[0] != '\0'));
    assert(memchr(sentinels->master, '\0', sizeof sentinels->master) != NULL);
    assert(memchr(sentinels->password, '\0', sizeof sentinels->password) != NULL);
    check_addresses(sentinels->addresses, sentinels->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    assert(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    struct redis_url url;
    struct error error = {.message = ""};
    bool is_read = redis_url_parse(text, &url, &error);
    assert(is_read == (error.message[0] == '\0'));
    if (is_read) {
        check_url(&url);
        check_sentinels(&url.sentinels);
        check_seeds(&url);
    } else {
        assert(error.kind == ERROR_CONFIG);
    }
    free(text);
    return 0;
}

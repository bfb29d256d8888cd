/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/net/redis_client.h"

#include "tests/fuzz/fuzz_target.h"

enum { DESCRIPTION_BYTES = 320 };

static void check_url(const struct redis_url *url)
{
    assert(memchr(url->host, '\0', sizeof url->host) != NULL);
    assert((url->host[0] == '\0') == (url->sentinels.count > 0));
    assert(memchr(url->user, '\0', sizeof url->user) != NULL);
    assert(memchr(url->password, '\0', sizeof url->password) != NULL);
    assert(url->scheme == REDIS_UNIX || url->sentinels.count > 0 || url->port != 0);
    assert(url->scheme != REDIS_UNIX || url->host[0] == '/');
}

static void check_sentinels(const struct redis_sentinels *sentinels)
{
    assert(sentinels->count <= REDIS_SENTINELS_MAX);
    assert((sentinels->count > 0) == (sentinels->master[0] != '\0'));
    assert(memchr(sentinels->master, '\0', sizeof sentinels->master) != NULL);
    assert(memchr(sentinels->password, '\0', sizeof sentinels->password) != NULL);
    for (size_t i = 0; i < sentinels->count; i++) {
        const struct redis_address *address = &sentinels->addresses[i];
        assert(memchr(address->host, '\0', sizeof address->host) != NULL);
        assert(address->host[0] != '\0' && address->port != 0);
    }
}

/* The description of the same place without credentials is the same: so it tells nothing of them.
 */
static void check_description(const struct redis_url *url)
{
    char text[DESCRIPTION_BYTES], anonymous_text[DESCRIPTION_BYTES];
    struct redis_url anonymous = *url;
    memset(anonymous.user, 0, sizeof anonymous.user);
    memset(anonymous.password, 0, sizeof anonymous.password);
    memset(anonymous.sentinels.password, 0, sizeof anonymous.sentinels.password);
    redis_url_describe(url, text);
    redis_url_describe(&anonymous, anonymous_text);
    assert(strcmp(text, anonymous_text) == 0);
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
        check_description(&url);
    } else {
        assert(error.kind == ERROR_CONFIG);
    }
    free(text);
    return 0;
}

/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/redis_location.h"

bool redis_location_find(void *context, struct redis_url *out, struct error *error)
{
    const struct redis_location *location = context;
    if (location->url == NULL)
        return embedded_redis_url(location->embedded, out, error);
    struct buffer text;
    buffer_init(&text, SECRET_BYTES_MAX);
    bool is_found =
        secret_read(location->url, &text, error) && redis_url_parse(text.bytes, out, error);
    buffer_wipe(&text);
    buffer_fini(&text);
    return is_found;
}

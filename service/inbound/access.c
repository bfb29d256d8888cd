/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/inbound/access.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "lib/base/secret.h"
#include "lib/net/http_server.h"

bool access_is_open(const struct access *access)
{
    return access->api_key == NULL && access->read_key == NULL && !access->takes_certificates;
}

/* NULL: none is given. */
static const char *bearer_of(struct http_request *request)
{
    static const char scheme[] = "Bearer ";
    const char *header = http_request_header(request, "Authorization");
    if (header == NULL || strncasecmp(header, scheme, sizeof scheme - 1) != 0)
        return NULL;
    header += sizeof scheme - 1;
    return header + strspn(header, " ");
}

static enum access_verdict judge_key(const struct access *access, enum right needed,
                                     const char *key, const char **out_name)
{
    assert(key != NULL);
    assert(needed != RIGHT_NONE); /* that is granted without a look at the key */
    *out_name = "API_KEY";
    if (access->api_key != NULL && secret_has_line(access->api_key, key))
        return ACCESS_GRANTED;
    *out_name = "API_READ_KEY";
    if (access->read_key == NULL || !secret_has_line(access->read_key, key))
        return ACCESS_KEY_WRONG;
    return needed == RIGHT_READ ? ACCESS_GRANTED : ACCESS_READ_ONLY;
}

enum access_verdict access_judge(const struct access *access, enum right needed,
                                 struct http_request *request, char reason[HTTP_PEER_REASON_BYTES],
                                 const char **out_name)
{
    *out_name = NULL;
    enum http_peer peer = HTTP_PEER_UNKNOWN;
    reason[0] = '\0';
    if (needed == RIGHT_NONE || access_is_open(access))
        return ACCESS_GRANTED;
    if (access->takes_certificates)
        peer = http_request_peer(request, reason);
    if (peer == HTTP_PEER_VERIFIED) {
        *out_name = "certificate";
        return ACCESS_GRANTED;
    }
    const char *key = bearer_of(request);
    if (key != NULL)
        return judge_key(access, needed, key, out_name);
    return peer == HTTP_PEER_REFUSED ? ACCESS_CERTIFICATE_REFUSED : ACCESS_KEY_MISSING;
}

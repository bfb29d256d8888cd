/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * GET /: the operators' page, which works over the calls that everybody has. It is one file, and
 * the policy that comes with it lets the browser run nothing but the script and style that are in
 * that file, and talk to nobody but this service.
 */
#include "embedded/page_html.h"

#include <assert.h>
#include <string.h>

#include "lib/base/sha256.h"

#include "service/domain/base64.h"
#include "service/inbound/call.h"
#include "service/inbound/endpoints.h"

enum { DIGEST_TEXT_BYTES = (SHA256_BYTES + 2) / 3 * 4 + 1, POLICY_BYTES_MAX = 512 };

/* The digest of what is between the tags of the page's one element of that name, as CSP wants it.
 */
static bool append_source(struct buffer *policy, const char *directive, const char *open,
                          const char *close)
{
    const char *begin = strstr(page_html, open);
    const char *end = begin != NULL ? strstr(begin, close) : NULL;
    unsigned char digest[SHA256_BYTES];
    char text[DIGEST_TEXT_BYTES];
    assert(end != NULL);
    begin += strlen(open);
    if (!sha256(begin, (size_t)(end - begin), digest, NULL))
        return false;
    base64_encode(digest, sizeof digest, text);
    return buffer_append_format(policy, NULL, "; %s 'sha256-%s'", directive, text);
}

static bool write_policy(struct buffer *policy)
{
    return buffer_append_text(policy,
                              "default-src 'none'; connect-src 'self'; base-uri 'none'; "
                              "form-action 'none'; frame-ancestors 'none'",
                              NULL) &&
           append_source(policy, "script-src", "<script>", "</script>") &&
           append_source(policy, "style-src", "<style>", "</style>");
}

void page_get(struct call *call)
{
    char storage[POLICY_BYTES_MAX];
    struct buffer policy;
    buffer_init_fixed(&policy, storage, sizeof storage);
    if (!write_policy(&policy)) {
        call_answer_out_of_memory(call);
        return;
    }
    call_answer(call, &(struct answer){.status = 200,
                                       .content_type = "text/html; charset=utf-8",
                                       .body = page_html,
                                       .body_length = page_html_length,
                                       .is_body_static = true,
                                       .headers = {{"Content-Security-Policy", policy.bytes},
                                                   {"X-Frame-Options", "DENY"},
                                                   {"Referrer-Policy", "no-referrer"}}});
}

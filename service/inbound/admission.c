/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/inbound/admission.h"

#include <assert.h>
#include <stdio.h>

#include "lib/base/clock.h"

#include "service/inbound/call.h"

static void refuse_key(struct call *call, bool is_given)
{
    static const struct problem missing = {
        .code = PROBLEM_UNAUTHORIZED,
        .detail = "This call needs the API key.",
        .remedy = "Send the header Authorization: Bearer <API key>.",
    };
    static const struct problem wrong = {
        .code = PROBLEM_UNAUTHORIZED,
        .detail = "The API key is not the one of this service.",
        .remedy = "Compare it with the setting SEEK_SIGNAL_API_KEY of the service.",
    };
    call_refuse_with(
        call, is_given ? &wrong : &missing,
        (struct http_header){"WWW-Authenticate",
                             is_given ? "Bearer realm=\"seek-signal\", error=\"invalid_token\""
                                      : "Bearer realm=\"seek-signal\""});
}

static void refuse_certificate(struct call *call, const char *reason)
{
    char detail[HTTP_PEER_REASON_BYTES + 64];
    (void)snprintf(detail, sizeof detail, "The client's certificate is refused. %s", reason);
    call_refuse_with(
        call,
        &(struct problem){.code = PROBLEM_UNAUTHORIZED,
                          .detail = detail,
                          .remedy =
                              "Use a certificate that is valid now, is for clients (extended key "
                              "usage clientAuth), and is signed by the authority in the service's "
                              "SEEK_SIGNAL_TLS_CLIENT_CA_FILE. Or send the API key."},
        (struct http_header){"WWW-Authenticate", "Bearer realm=\"seek-signal\""});
}

bool admission_check(struct call *call)
{
    assert(call->route != NULL);
    assert(call->request != NULL && !call->is_answered);
    static const struct problem read_only = {
        .code = PROBLEM_KEY_READ_ONLY,
        .detail =
            "This key is SEEK_SIGNAL_API_READ_KEY of the service, which may not change anything.",
        .remedy = "Use the key of SEEK_SIGNAL_API_KEY for this call.",
    };
    char reason[HTTP_PEER_REASON_BYTES];
    enum access_verdict verdict = access_judge(&call->context->access, call->route->right,
                                               call->request, reason, &call->key_name);
    switch (verdict) {
    case ACCESS_GRANTED:
        return true;
    case ACCESS_KEY_MISSING:
        refuse_key(call, false);
        break;
    case ACCESS_KEY_WRONG:
        call->is_key_wrong = true;
        if (wrong_keys_note(&call->context->wrong_keys, call, clock_monotonic_ms()))
            return true; /* `handle` goes on */
        call->is_last = true;
        refuse_key(call, true);
        break;
    case ACCESS_READ_ONLY:
        call_refuse(call, &read_only);
        break;
    case ACCESS_CERTIFICATE_REFUSED:
        refuse_certificate(call, reason);
        break;
    }
    return false;
}

void admission_refuse_wrong_key(struct call *call)
{
    assert(call->is_key_wrong);
    refuse_key(call, true);
}

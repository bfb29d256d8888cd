/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The rights of callers: by a key, or by a client's certificate, which allows every call.
 *
 * Owns:    nothing; the secrets outlive it.
 * Threads: one at a time; the secrets are shared.
 * Blocks:  as secret_has_line does.
 */
#pragma once

#include <stdbool.h>

#include "lib/net/http_peer.h"

struct secret;

enum right {
    RIGHT_NONE, /* for everybody: probes, the page, the contract */
    RIGHT_READ, /* looks and changes nothing */
    RIGHT_ALL,
};

struct access {
    struct secret *api_key;  /* RIGHT_ALL; NULL: none */
    struct secret *read_key; /* RIGHT_READ; NULL: none */
    bool takes_certificates; /* RIGHT_ALL for each that the authority has signed */
};

enum access_verdict {
    ACCESS_GRANTED,
    ACCESS_KEY_MISSING,
    ACCESS_KEY_WRONG,
    ACCESS_READ_ONLY,           /* the key is read-only */
    ACCESS_CERTIFICATE_REFUSED, /* and there is no key */
};

/* Nothing is asked for: everybody may do everything. */
bool access_is_open(const struct access *access);
/* `reason`: why a certificate is refused. `out_name`: by what it is granted: "API_KEY",
 * "API_READ_KEY", "certificate"; NULL: nothing was asked for. */
enum access_verdict access_judge(const struct access *access, enum right needed,
                                 struct http_request *request, char reason[HTTP_PEER_REASON_BYTES],
                                 const char **out_name);

/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Certificates for a server on this machine, made by the program `openssl`: a certificate authority
 * of its own and, signed by it, one for localhost, 127.0.0.1, ::1 and, when given, one more name.
 * Existing files are used again.
 *
 * Owns:    the PEM texts.
 * Threads: any.
 * Blocks:  for files and the program.
 */
#pragma once

#include <stdbool.h>

#include "lib/base/buffer.h"

enum { CERTIFICATE_PATH_BYTES = 4096 };

struct certificate {
    struct buffer certificate_pem, key_pem;
    char ca_path[CERTIFICATE_PATH_BYTES]; /* what a client has to trust */
};

/* `directory` is created when missing: ca.pem, ca-key.pem, cert.pem, key.pem; with `is_expired`
 * expired-cert.pem and expired-key.pem, valid until yesterday. `out` is initialised here and needs
 * certificate_fini even on failure. ERROR_CONFIG when `name` (NULL: none) is no name of a host. */
MUST_CHECK bool certificate_prepare(const char *directory, const char *name, bool is_expired,
                                    struct certificate *out, struct error *error);
void certificate_fini(struct certificate *certificate);

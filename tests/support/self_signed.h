/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * A key and a certificate for "localhost" and 127.0.0.1 that vouches for itself, valid for an hour.
 *
 * Owns: the texts. Threads: any. Blocks: for the moment that making a key takes.
 */
#pragma once

struct self_signed {
    char *certificate; /* PEM, owned */
    char *key;         /* PEM, owned */
};

struct self_signed self_signed_create(void); /* fails the test when it cannot */
void self_signed_fini(struct self_signed *pem);

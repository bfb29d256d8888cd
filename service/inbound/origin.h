/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Whether a request may come from where it comes from: no page of another site can drive the
 * service through the browser of somebody who can reach it. Programs that are no browser send none
 * of these headers and are not concerned.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>

struct origin_facts { /* headers: NULL when absent */
    const char *method;
    const char *host;
    const char *origin;
    const char *fetch_site; /* Sec-Fetch-Site, and so on */
    const char *fetch_mode;
    const char *fetch_dest;
    bool is_local_and_keyless; /* the listener is plain, on loopback, and asks for no API key */
};

enum origin_verdict {
    ORIGIN_FINE,
    ORIGIN_FOREIGN_HOST, /* a name of somebody else's that was made to lead here */
    ORIGIN_FOREIGN_SITE, /* another site's page wants to change something, or to know */
};
enum origin_verdict origin_judge(const struct origin_facts *facts);

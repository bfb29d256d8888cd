/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Only compiled, with one FIELD after the other: base.cmake says which must not compile.
 */
#include "lib/base/log.h"

int sink;
void log_one(void);

void log_one(void)
{
    log_info("event", "message", FIELD);
    sink = 1;
}

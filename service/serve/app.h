/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The service as a whole: builds its parts, starts them, waits for a signal, and stops them in the
 * order that ARCHITECTURE.md numbers.
 *
 * Owns:    every part.
 * Threads: main.
 * Blocks:  until the service has ended.
 */
#pragma once

#include "service/config/config.h"

/* Returns the process's exit status: 0 after a clean stop, 1 when it could not start or had to end.
 */
int app_serve(const struct config *config);

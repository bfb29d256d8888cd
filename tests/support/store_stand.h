/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * A redis-server for all tests of a program, and for each of them an empty database and a driven
 * store: the fixtures to give to cmocka.
 *
 * Owns:    `server` from begin to finish, the store of `driver` from start to stop.
 * Threads: one at a time.
 * Blocks:  until the server answers, and the store is ready.
 */
#pragma once

#include "tests/support/store_driver.h"

extern struct redis_server *server;
extern struct driver driver;

int store_stand_begin(void **state);
int store_stand_finish(void **state);
int store_stand_start(void **state);
int store_stand_stop(void **state);

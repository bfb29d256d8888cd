/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "tests/support/store_stand.h"

struct redis_server *server;
struct driver driver;

int store_stand_begin(void **state)
{
    (void)state;
    server = redis_server_start(REDIS_SERVER_UNIX, NULL);
    return 0;
}

int store_stand_finish(void **state)
{
    (void)state;
    redis_server_stop(server);
    return 0;
}

int store_stand_start(void **state)
{
    (void)state;
    (void)redis_server_cli(server, "FLUSHALL");
    driver_start(&driver, server);
    driver_must_become(&driver, true);
    return 0;
}

int store_stand_stop(void **state)
{
    (void)state;
    driver_stop(&driver);
    return 0;
}

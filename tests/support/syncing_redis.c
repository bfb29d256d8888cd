/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "tests/support/syncing_redis.h"

#include "lib/base/clock.h"

#include "service/store/script.h"

#include "tests/support/specification.h"

struct store_options options_demanding(const char *durability)
{
    struct store_options options = {
        .ttl_ms = DRIVER_TTL_MS, .lease_ms = DRIVER_LEASE_MS, .age_max_ms = DRIVER_AGE_MAX_MS};
    assert_true(durability_parse(durability, &options.demand));
    return options;
}

void syncing_redis_drive_with(struct fake_redis *fake, struct driver *driver, const char *demand,
                              const char *replicas[2])
{
    const struct store_options options = options_demanding(demand);
    struct redis_url url;
    fake_redis_url(fake, &url);
    driver_start_with(driver, &url, &options);
    driver_turn(driver);
    fake_redis_accept(fake);
    driver_turn(driver);
    fake_redis_must_hear(fake, "seek-signal\r\n"); /* no Redis speaks first */
    fake_redis_say_text(fake, "+OK\r\n");
    while (metric_value(&driver->connects) == 0)
        driver_turn(driver);
    fake_redis_say_text(fake, replicas[0]);
    fake_redis_say_text(fake, "*2\r\n$11\r\nappendfsync\r\n$8\r\neverysec\r\n" FAKE_REDIS_TRIED
                              "+OK\r\n:1\r\n");
    fake_redis_say_text(fake, replicas[1]);
    fake_redis_say_text(fake, "*2\r\n:1\r\n:0\r\n");
    for (int i = 0; i < SCRIPT_COUNT; i++)
        fake_redis_say_text(fake, "$40\r\n0123456789012345678901234567890123456789\r\n");
    driver_must_become(driver, true);
}

void syncing_redis_drive(struct fake_redis *fake, struct driver *driver)
{
    const char *none[] = {"$62\r\n" SYNCING_INFO "\r\n", "*2\r\n:0\r\n:0\r\n"};
    syncing_redis_drive_with(fake, driver, "fsync", none);
    fake_redis_must_hear(fake, "WAITAOF\r\n$1\r\n1\r\n$1\r\n0\r\n");
    (void)fake_redis_count(fake, "WAITAOF"); /* and with patience */
}

void driver_turn_for(struct driver *driver, int64_t duration_ms)
{
    int64_t until_ms = clock_monotonic_ms() + duration_ms;
    while (clock_monotonic_ms() < until_ms)
        driver_turn(driver);
}

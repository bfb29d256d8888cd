/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* The spool with damaged files, and a disk that is full or fails. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/journal_frame.h"

#include "tests/support/failing_malloc.h"
#include "tests/support/specification.h"
#include "tests/support/spool_stand.h"
#include "tests/support/stored_fields.h"

static _Atomic bool is_sync_failing, is_sync_held, is_in_sync;

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_fdatasync(int fd)
{
    while (atomic_load(&is_sync_held)) {
        atomic_store(&is_in_sync, true);
        (void)usleep(1000);
    }
    if (!atomic_load(&is_sync_failing))
        return __real_fdatasync(fd);
    errno = EIO;
    return -1;
}

/* --- damage --- */

static void delivers_what_is_around_the_damage(void **state)
{
    (void)state;
    static const char name[] = "journal-0000000000000000.log";
    char bytes[4096];
    redis_server_kill(server);
    begin();
    must_write("A", "token");
    must_write("B", "token");
    must_write("C", "token");
    end();
    size_t length = read_file(name, bytes, sizeof bytes);
    bytes[length / 2] ^= 1;
    write_file(name, bytes, length);
    redis_server_restart(server);
    begin();
    assert_int_equal(counted("seek_signal_spool_damaged_total", NULL), 1);
    EVENTUALLY(is_drained());
    must_be("A", "pending", "token");
    must_be("B", "", "");
    must_be("C", "pending", "token");
    assert_int_equal(spool_stand_files("journal-", false), 0);
    assert_int_equal(spool_stand_files("corrupt-", false), 1);
    assert_int_equal(status().bytes, length);
    assert_int_equal(counted("seek_signal_spool_damaged_total", NULL), 1);
}

static void keeps_what_another_version_wrote(void **state)
{
    (void)state;
    struct buffer record;
    size_t start;
    char storage[64];
    buffer_init_fixed(&record, storage, sizeof storage);
    assert_true(journal_frame_open(&record, &start, NULL));
    assert_true(buffer_append_text(&record, "\x7f, of the future", NULL));
    assert_true(journal_frame_close(&record, start, NULL));
    write_file("journal-0000000000000000.log", record.bytes, record.length);
    begin();
    must_write("A", "token");
    EVENTUALLY(is_drained());
    must_be("A", "pending", "token");
    assert_int_equal(counted("seek_signal_spool_damaged_total", NULL), 1);
    assert_int_equal(spool_stand_files("corrupt-", false), 1);
}

/* --- a disk that is full or fails --- */

static void refuses_when_it_is_full(void **state)
{
    (void)state;
    redis_server_kill(server);
    begin_with(64 * 1024);
    char seek_token[1001];
    memset(seek_token, 't', sizeof seek_token - 1);
    seek_token[sizeof seek_token - 1] = '\0';
    struct error error;
    size_t count = 0;
    while (try_to_write("A", seek_token, &error))
        count++;
    assert_int_equal(error.kind, ERROR_FULL);
    assert_int_equal(status().records, count);
    assert_false(status().is_able);
    assert_non_null(strstr(status().reason, "The spool in /"));
    assert_non_null(strstr(status().reason, " is full: "));
    assert_int_equal(counted("seek_signal_spool_refused_total", NULL), 1);
    redis_server_restart(server);
    EVENTUALLY(is_drained());
    assert_true(status().is_able);
    must_write("B", seek_token);
}

static void is_able_again_when_the_disk_is(void **state)
{
    (void)state;
    struct error error;
    redis_server_kill(server);
    begin();
    must_write("A", "token");
    atomic_store(&is_sync_failing, true);
    assert_false(try_to_write("B", "token", &error));
    assert_int_equal(error.kind, ERROR_IO);
    assert_false(status().is_able);
    assert_non_null(strstr(status().reason, "The spool cannot write to /"));
    atomic_store(&is_sync_failing, false);
    EVENTUALLY(status().is_able); /* nobody had to try with an event */
    must_write("C", "token");
    redis_server_restart(server);
    EVENTUALLY(is_drained());
    must_be("A", "pending", "token");
    must_be("B", "", "");
    must_be("C", "pending", "token");
    assert_int_equal(counted("seek_signal_spool_damaged_total", NULL), 0);
}

/* Nearly a segment. */
static void open_large(struct spool_order *order, const char *letter)
{
    char id[32], seek_token[4001];
    memset(seek_token, 't', sizeof seek_token - 1);
    seek_token[sizeof seek_token - 1] = '\0';
    open_order(order, loop);
    for (unsigned i = 0; i < 250; i++) {
        (void)snprintf(id, sizeof id, "%s-%u", letter, i);
        add_event(order, id, seek_token);
    }
}

static void must_refuse(struct spool_order *order)
{
    EVENTUALLY(spool_is_done(spool, order));
    assert_false(order->is_written);
    assert_int_equal(order->error.kind, ERROR_IO);
    buffer_fini(&order->records);
}

/* Of two orders of one turn the first is on the disk when no segment can be made for the second.
 * Its client heard that it was not written, and its events are drained all the same. */
static void holds_what_is_written_after_all(void **state)
{
    (void)state;
    struct spool_order occasion, first, second;
    redis_server_kill(server);
    begin_with(4 * BYTES_MAX);
    write_file("journal-0000000000000001.log", "", 0); /* there is a file of that name already */
    open_order(&occasion, loop);
    add_event(&occasion, "X", "token");
    open_large(&first, "A");
    open_large(&second, "B");
    atomic_store(&is_sync_held, true);
    assert_true(spool_submit(spool, &occasion));
    EVENTUALLY(atomic_load(&is_in_sync));
    assert_true(spool_submit(spool, &first));
    assert_true(spool_submit(spool, &second));
    atomic_store(&is_sync_held, false);
    must_refuse(&first);
    must_refuse(&second);
    assert_true(spool_is_done(spool, &occasion) && occasion.is_written);
    buffer_fini(&occasion.records);
    assert_true(spool_is_holding_for(spool, "X"));
    assert_true(spool_is_holding_for(spool, "A-0"));
    assert_true(spool_is_holding_for(spool, "A-249"));
    EVENTUALLY(status().is_able);
    redis_server_restart(server);
    EVENTUALLY(is_drained());
    must_be("X", "pending", "token");
    assert_string_equal(stored_field(server, "A-249", "state"), "pending");
    must_be("B-0", "", "");
    assert_false(spool_is_holding_for(spool, "A-0"));
}

static _Atomic bool is_drain_refused;
static _Atomic unsigned drains;

bool __real_store_drain(struct store *store, const struct drain_record *records, size_t count,
                        store_drain_done done, void *context, struct error *error);
bool __wrap_store_drain(struct store *store, const struct drain_record *records, size_t count,
                        store_drain_done done, void *context, struct error *error);

bool __wrap_store_drain(struct store *store, const struct drain_record *records, size_t count,
                        store_drain_done done, void *context, struct error *error)
{
    atomic_fetch_add(&drains, 1);
    if (!atomic_load(&is_drain_refused))
        return __real_store_drain(store, records, count, done, context, error);
    static const struct store_failure refused = {.status = STORE_REFUSED, .detail = "refused"};
    done(context, &refused, NULL, 0);
    return true;
}

/* Each of these writes is an occasion to try. */
static void rests_when_redis_refuses(void **state)
{
    (void)state;
    atomic_store(&is_drain_refused, true);
    begin();
    atomic_store(&drains, 0);
    must_write("A", "token");
    EVENTUALLY(atomic_load(&drains) > 0);
    int64_t began_ms = clock_monotonic_ms();
    for (unsigned i = 0; i < 20; i++)
        must_write("B", "token");
    unsigned tries = atomic_load(&drains);
    assert_in_range(tries, 1, 1 + (clock_monotonic_ms() - began_ms) / 1000);
    EVENTUALLY(atomic_load(&drains) > tries); /* nobody had to try with an event */
    atomic_store(&is_drain_refused, false);
    EVENTUALLY(is_drained());
    must_be("A", "pending", "token");
}

static _Atomic unsigned told, told_of_nothing;

void __real_event_loop_wake(struct event_loop *self);
void __wrap_event_loop_wake(struct event_loop *self);

/* The test's loop is woken when an order is done. */
void __wrap_event_loop_wake(struct event_loop *self)
{
    if (self == loop) {
        atomic_fetch_add(&told, 1);
        atomic_fetch_add(&told_of_nothing, !spool_is_holding(spool));
    }
    __real_event_loop_wake(self);
}

/* Whoever is told that it is written may ask at once, and must not let a later call overtake it. */
static void holds_before_it_tells(void **state)
{
    (void)state;
    atomic_store(&told, 0);
    atomic_store(&told_of_nothing, 0);
    redis_server_kill(server);
    begin();
    must_write("A", "token");
    redis_server_restart(server);
    EVENTUALLY(is_drained());
    assert_int_equal(atomic_load(&told), 1);
    assert_int_equal(atomic_load(&told_of_nothing), 0);
}

static void needs_a_directory_of_its_own(void **state)
{
    (void)state;
    struct error error;
    begin();
    assert_null(try_to_create(BYTES_MAX, &error));
    assert_int_equal(error.kind, ERROR_IO);
}

static void starts_whole_or_not_at_all_without_memory(void **state)
{
    (void)state;
    begin();
    redis_server_freeze(server);
    must_write("A", "t-1");
    end();
    bool has_failed = true;
    for (unsigned n = 0; has_failed; n++) {
        struct error error;
        failing_malloc_arm(n);
        spool = try_to_create(BYTES_MAX, &error);
        has_failed = failing_malloc_disarm();
        assert_int_equal(spool == NULL, has_failed);
        if (spool == NULL)
            assert_int_equal(error.kind, ERROR_MEMORY);
        else
            assert_int_equal(status().records, 1);
        end();
    }
    redis_server_thaw(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT_WITH("delivers what is around the damage", delivers_what_is_around_the_damage,
                spool_stand_make, spool_stand_clear),
        IT_WITH("keeps what another version wrote", keeps_what_another_version_wrote,
                spool_stand_make, spool_stand_clear),
        IT_WITH("refuses when it is full", refuses_when_it_is_full, spool_stand_make,
                spool_stand_clear),
        IT_WITH("is able again when the disk is", is_able_again_when_the_disk_is, spool_stand_make,
                spool_stand_clear),
        IT_WITH("holds what is written after all", holds_what_is_written_after_all,
                spool_stand_make, spool_stand_clear),
        IT_WITH("starts whole or not at all when memory is short",
                starts_whole_or_not_at_all_without_memory, spool_stand_make, spool_stand_clear),
        IT_WITH("rests when Redis refuses what is drained", rests_when_redis_refuses,
                spool_stand_make, spool_stand_clear),
        IT_WITH("holds what is written before it tells", holds_before_it_tells, spool_stand_make,
                spool_stand_clear),
        IT_WITH("needs a directory of its own", needs_a_directory_of_its_own, spool_stand_make,
                spool_stand_clear),
    };
    return cmocka_run_group_tests_name("spool_faults", tests, spool_stand_start, spool_stand_stop);
}

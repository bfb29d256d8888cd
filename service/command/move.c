/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * `move`: two stores in one loop, and the mover between them.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/net/event_loop.h"

#include "service/command/command.h"
#include "service/command/move_end.h"
#include "service/command/mover.h"
#include "service/command/printing.h"
#include "service/store/store.h"

enum { PATIENCE_MS = 60000 }; /* with what fails again and again, whatever else goes on */

/* --- both --- */

struct move {
    const struct command_arguments *arguments;
    struct move_end from, to;
    struct event_loop *loop; /* owned */
    struct mover *mover;     /* owned */
    /* That it is the right one: until then nothing is written to the target, whose keys would be
     * claimed for the GRAPHQL_URL and AUDIENCE of a mistake. */
    bool is_source_ready;
    bool is_told; /* that the source is quiet */
};

static volatile sig_atomic_t stop_signals;

/* The second one ends the process, which loses nothing either. */
static void note_signal(int number)
{
    struct sigaction standard = {.sa_handler = SIG_DFL};
    stop_signals = 1;
    (void)sigaction(number, &standard, NULL);
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = note_signal};
    stop_signals = 0;
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

static bool open_both(struct move *move, const struct config *config, struct error *error)
{
    const struct command_arguments *arguments = move->arguments;
    move->from.config = move->to.config = *config;
    move->loop = event_loop_create(error);
    return move->loop != NULL &&
           move_end_read(&move->from, arguments->from_prefix, arguments->from_shards, error) &&
           move_end_read(&move->to, arguments->to_prefix, arguments->to_shards, error) &&
           move_end_open(&move->from, move->loop, true, error) &&
           move_end_open(&move->to, move->loop, false, error) &&
           (move->mover = mover_create(move->from.store, move->to.store, move->to.where,
                                       arguments->is_following, error)) != NULL;
}

static bool open_source(struct move *move, const struct config *config, struct error *error)
{
    const struct command_arguments *arguments = move->arguments;
    move->from.config = *config;
    move->loop = event_loop_create(error);
    return move->loop != NULL &&
           move_end_read(&move->from, arguments->from_prefix, arguments->from_shards, error) &&
           move_end_open(&move->from, move->loop, true, error);
}

static void close_both(struct move *move)
{
    move_end_close(&move->from);
    move_end_close(&move->to);
    mover_destroy(move->mover);
    event_loop_destroy(move->loop);
}

static void turn(struct move *move, int64_t most_ms)
{
    int64_t now_ms = clock_monotonic_ms();
    int64_t wait_ms = clock_sooner_ms(store_timeout_ms(move->from.store, now_ms), most_ms);
    if (move->is_source_ready)
        wait_ms = clock_sooner_ms(wait_ms, store_timeout_ms(move->to.store, now_ms));
    event_loop_poll(move->loop, wait_ms);
    now_ms = clock_monotonic_ms();
    store_turn(move->from.store, now_ms);
    if (move->is_source_ready)
        store_turn(move->to.store, now_ms);
}

static bool is_all_ready(const struct move_end *end)
{
    struct store_health health;
    store_health(end->store, &health);
    return health.is_ready && !health.is_refusing && health.shards_ready == health.shard_count;
}

/* A source that is full is to be emptied. */
static bool is_usable(const struct move_end *end, bool is_source)
{
    return is_source ? store_are_all_ready(end->store, NULL) : is_all_ready(end);
}

/* Ready, or not within the time-out: the whole reason is told, unless a signal has ended it. */
static bool wait_for(struct move *move, const struct move_end *end)
{
    bool is_source = end == &move->from;
    enum { START_MS = 5000, TURN_MS = 100 };
    struct store_health health;
    const int64_t deadline_ms = clock_monotonic_ms() + START_MS;
    while (!is_usable(end, is_source) && clock_monotonic_ms() < deadline_ms && stop_signals == 0)
        turn(move, TURN_MS);
    if (is_usable(end, is_source))
        return true;
    store_health(end->store, &health);
    if (stop_signals == 0)
        print_format(stderr, "move: %s: %s", end->name, health.reason);
    return false;
}

/* --- what is said --- */

static void print_result(const struct move *move, enum mover_state state)
{
    struct mover_counts counts;
    mover_count(move->mover, &counts);
    bool is_complete = state == MOVER_EMPTY && counts.left == 0;
    if (move->arguments->is_json) {
        (void)printf("{\"moved\":%" PRId64 ",\"superseded\":%" PRId64 ",\"left\":%" PRId64
                     ",\"held\":%" PRId64 ",\"complete\":%s}\n",
                     counts.moved, counts.superseded, counts.left, counts.held,
                     is_complete ? "true" : "false");
        return;
    }
    if (state != MOVER_FAILED || counts.moved > 0)
        (void)printf("%" PRId64 " applications are moved\n", counts.moved);
    if (is_complete)
        (void)puts("--from is empty");
    if (counts.left > 0)
        (void)printf("%" PRId64 " keys cannot be moved: they hold something else\n", counts.left);
}

static int end_with(const struct move *move, enum mover_state state)
{
    struct mover_counts counts;
    mover_count(move->mover, &counts);
    print_progress_end();
    print_result(move, state);
    bool is_fine = (state == MOVER_EMPTY && counts.left == 0) ||
                   (state == MOVER_STOPPED && move->arguments->is_following);
    if (state == MOVER_STOPPED && !move->arguments->is_following)
        (void)fputs("move: stopped before its end: run it again\n", stderr);
    else if (state == MOVER_RUNNING || state == MOVER_FAILED)
        print_format(stderr, "move: %s", mover_problem(move->mover));
    unsigned blocked_count;
    const char *blocked = mover_blocked(move->mover, &blocked_count);
    if (blocked_count > 0)
        print_format(
            stderr,
            "move: --to: %u keys that applications need hold something else. These applications "
            "stay at --from: %s. Delete or rename the keys, and run the move again",
            blocked_count, blocked);
    if (counts.held > 0)
        (void)fprintf(
            stderr,
            "move: %" PRId64
            " applications are in transit. Nothing sends them until you run the move again\n",
            counts.held);
    if (state != MOVER_EMPTY && !is_fine && mover_has_paused(move->mover))
        (void)fputs("move: sending at --from stays paused: run the move again, or give it up with "
                    "--abandon\n",
                    stderr);
    return is_fine ? 0 : 1;
}

/* From now on nothing that the target sends can be overtaken by what the source sends. */
static void tell_quiet(struct move *move)
{
    if (move->is_told || !move->arguments->is_following || !mover_is_quiet(move->mover))
        return;
    print_progress_end();
    (void)puts(move->arguments->is_json
                   ? "{\"quiet\":true}"
                   : "sending from --from has ended: point the clients to the new services");
    (void)print_flush(); /* whether anybody reads it or not, the move goes on */
    move->is_told = true;
}

static void show_progress(const struct move *move)
{
    struct mover_counts counts;
    mover_count(move->mover, &counts);
    print_progress(counts.moved, counts.entries);
}

static int run(struct move *move)
{
    move->is_source_ready = wait_for(move, &move->from);
    bool are_ready = move->is_source_ready && wait_for(move, &move->to);
    if (!are_ready)
        return stop_signals > 0 ? end_with(move, MOVER_STOPPED) : 1;
    enum mover_state state;
    bool is_late = false;
    while ((state = mover_turn(move->mover, clock_monotonic_ms())) == MOVER_RUNNING && !is_late) {
        tell_quiet(move);
        show_progress(move);
        turn(move, mover_timeout_ms(move->mover, clock_monotonic_ms()));
        if (stop_signals > 0)
            mover_stop(move->mover);
        is_late = mover_troubled_ms(move->mover, clock_monotonic_ms()) > PATIENCE_MS;
    }
    return end_with(move, state);
}

/* --- giving up --- */

struct abandoning {
    unsigned shards_open, shards_moved, shards_paused;
    int64_t let_go;
    char problem[512]; /* "": none */
};

static void on_abandoned(void *context, const struct store_failure *failure,
                         const struct move_out_result *result)
{
    struct abandoning *abandoning = context;
    abandoning->shards_open--;
    if (failure->status != STORE_OK) {
        (void)snprintf(abandoning->problem, sizeof abandoning->problem, "%s", failure->detail);
        return;
    }
    if (result->outcome != MOVE_FINE) {
        (void)snprintf(abandoning->problem, sizeof abandoning->problem,
                       "there is no data of this version");
        return;
    }
    abandoning->let_go += result->deleted;
    abandoning->shards_moved += result->name[0] != '\0';
    abandoning->shards_paused += result->paused_since[0] != '\0';
}

/* Somebody who has named the wrong Redis is not told that it is done. */
static int end_abandoning(const struct move *move, const struct abandoning *abandoning)
{
    bool is_done = abandoning->shards_moved > 0, is_paused = abandoning->shards_paused > 0;
    if (move->arguments->is_json)
        (void)printf("{\"abandoned\":%s,\"released\":%" PRId64 ",\"paused\":%s}\n",
                     is_done ? "true" : "false", abandoning->let_go, is_paused ? "true" : "false");
    else if (is_done)
        (void)printf("the move is given up: --from %s, and %" PRId64
                     " applications that were in transit are due there\n",
                     is_paused ? "stays paused, as before the move (`seek-signal resume` ends that)"
                               : "sends again",
                     abandoning->let_go);
    if (!is_done)
        (void)fputs("move: --from: no move from there was under way, and nothing is changed: look "
                    "at the URL, the prefix and the shards\n",
                    stderr);
    return is_done ? 0 : 1;
}

/* Every shard is asked, whatever another one says: to ask again does no harm. */
static int abandon(struct move *move)
{
    struct error error;
    struct abandoning abandoning = {.shards_open = 0};
    if (!wait_for(move, &move->from))
        return 1;
    for (unsigned i = 0; i < store_shard_count(move->from.store); i++) {
        const struct move_out_query query = {.shard = i, .proposal = "", .limit = MOVE_GIVE_UP};
        if (store_move_out(move->from.store, &query, on_abandoned, &abandoning, &error))
            abandoning.shards_open++;
        else
            (void)snprintf(abandoning.problem, sizeof abandoning.problem, "%s", error.message);
    }
    while (abandoning.shards_open > 0)
        turn(move, PATIENCE_MS); /* each call ends by itself */
    if (abandoning.problem[0] != '\0') {
        print_format(stderr, "move: --from: %s; abandon it again", abandoning.problem);
        return 1;
    }
    return end_abandoning(move, &abandoning);
}

static int abandon_from(struct move *move, const struct config *config)
{
    struct error error;
    const struct command_arguments *arguments = move->arguments;
    if (arguments->is_following || arguments->to != NULL || arguments->to_file != NULL) {
        move_end_hide(arguments->from);
        move_end_hide(arguments->to);
        (void)fputs("move: --abandon takes neither --to nor --follow\n", stderr);
        return 2;
    }
    if (move_end_read_url(&move->from, arguments->from, arguments->from_file, &error) &&
        open_source(move, config, &error))
        return abandon(move);
    print_format(stderr, "move: %s", error.message);
    return 2;
}

int command_move(const struct config *config, const struct command_arguments *arguments)
{
    struct error error;
    struct move move = {.arguments = arguments, .from = {.name = "--from"}, .to = {.name = "--to"}};
    int status = 2;
    if (arguments->is_abandoning) {
        status = abandon_from(&move, config);
    } else if (move_end_read_url(&move.from, arguments->from, arguments->from_file, &error) &&
               move_end_read_url(&move.to, arguments->to, arguments->to_file, &error) &&
               open_both(&move, config, &error)) {
        catch_signals();
        status = run(&move);
    } else {
        print_format(stderr, "move: %s", error.message);
    }
    close_both(&move);
    return status;
}

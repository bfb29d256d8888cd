/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/heartbeat.h"
#include "lib/net/event_loop.h"

#include "tests/support/specification.h"

struct socket_pair {
    struct event_loop *loop;
    int ours;
    int peers;
    unsigned calls;
    unsigned events;            /* of the last call */
    struct socket_pair *victim; /* forgotten and closed by the callback */
};

static void open_pair(struct socket_pair *pair, struct event_loop *loop)
{
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    *pair = (struct socket_pair){.loop = loop, .ours = fds[0], .peers = fds[1]};
}

static void close_pair(struct socket_pair *pair)
{
    event_loop_forget(pair->loop, pair->ours);
    (void)close(pair->ours);
    (void)close(pair->peers);
}

static void note(void *context, unsigned events)
{
    struct socket_pair *pair = context;
    pair->calls++;
    pair->events = events;
}

static void watch(struct socket_pair *pair, unsigned events)
{
    struct error error;
    assert_true(event_loop_watch(pair->loop, pair->ours, events, note, pair, &error));
}

static void poll_once(struct event_loop *loop)
{
    event_loop_poll(loop, 0);
}

static void must_write(int fd)
{
    assert_int_equal(write(fd, "x", 1), 1);
}

static struct event_loop *must_create(void)
{
    struct error error;
    struct event_loop *loop = event_loop_create(&error);
    assert_non_null(loop);
    return loop;
}

static void reports_what_is_ready(void **state)
{
    (void)state;
    AUTO(event_loop) *loop = must_create();
    struct socket_pair pair;
    open_pair(&pair, loop);

    watch(&pair, EVENT_READ);
    poll_once(loop);
    assert_int_equal(pair.calls, 0);

    must_write(pair.peers);
    poll_once(loop);
    assert_int_equal(pair.events, EVENT_READ);

    poll_once(loop); /* level-triggered: still unread */
    assert_int_equal(pair.calls, 2);

    watch(&pair, EVENT_READ | EVENT_WRITE);
    poll_once(loop);
    assert_int_equal(pair.events, EVENT_READ | EVENT_WRITE);

    watch(&pair, EVENT_WRITE);
    poll_once(loop);
    assert_int_equal(pair.events, EVENT_WRITE);

    watch(&pair, 0);
    poll_once(loop);
    assert_int_equal(pair.calls, 4);
    close_pair(&pair);
}

static void reports_a_hang_up_as_both(void **state)
{
    (void)state;
    AUTO(event_loop) *loop = must_create();
    struct socket_pair pair;
    open_pair(&pair, loop);
    watch(&pair, EVENT_READ);

    (void)close(pair.peers);
    poll_once(loop);

    assert_int_equal(pair.events, EVENT_READ | EVENT_WRITE);
    event_loop_forget(loop, pair.ours);
    (void)close(pair.ours);
}

static void forgets(void **state)
{
    (void)state;
    AUTO(event_loop) *loop = must_create();
    struct socket_pair pair;
    open_pair(&pair, loop);
    watch(&pair, EVENT_READ);
    must_write(pair.peers);

    event_loop_forget(loop, pair.ours);
    event_loop_forget(loop, pair.ours);
    event_loop_forget(loop, -1);
    event_loop_forget(loop, 1000000);
    poll_once(loop);

    assert_int_equal(pair.calls, 0);
    close_pair(&pair);
}

static void end_victim(void *context, unsigned events)
{
    struct socket_pair *pair = context;
    note(pair, events);
    if (pair->victim == NULL)
        return;
    close_pair(pair->victim);
    pair->victim->ours = pair->victim->peers = -1;
    pair->victim->victim = NULL;
}

static void drops_events_of_the_forgotten(void **state)
{
    (void)state;
    AUTO(event_loop) *loop = must_create();
    struct socket_pair pairs[2];
    struct error error;
    for (int i = 0; i < 2; i++) {
        open_pair(&pairs[i], loop);
        pairs[i].victim = &pairs[1 - i];
        assert_true(
            event_loop_watch(loop, pairs[i].ours, EVENT_READ, end_victim, &pairs[i], &error));
        must_write(pairs[i].peers);
    }

    poll_once(loop); /* both are ready; whichever runs first ends the other */

    assert_int_equal(pairs[0].calls + pairs[1].calls, 1);
    for (int i = 0; i < 2; i++) {
        if (pairs[i].ours >= 0)
            close_pair(&pairs[i]);
    }
}

static void pause_victim(void *context, unsigned events)
{
    struct socket_pair *pair = context;
    note(pair, events);
    watch(pair->victim, 0);
}

static void drops_events_nobody_wants_any_more(void **state)
{
    (void)state;
    AUTO(event_loop) *loop = must_create();
    struct socket_pair pairs[2];
    struct error error;
    for (int i = 0; i < 2; i++) {
        open_pair(&pairs[i], loop);
        pairs[i].victim = &pairs[1 - i];
        assert_true(
            event_loop_watch(loop, pairs[i].ours, EVENT_READ, pause_victim, &pairs[i], &error));
        must_write(pairs[i].peers);
    }

    poll_once(loop);

    assert_int_equal(pairs[0].calls + pairs[1].calls, 1);
    close_pair(&pairs[0]);
    close_pair(&pairs[1]);
}

static void replace_victim(void *context, unsigned events)
{
    struct socket_pair *pair = context;
    note(pair, events);
    if (pair->victim == NULL)
        return;
    struct socket_pair *victim = pair->victim;
    int number = victim->ours;
    close_pair(victim);
    open_pair(victim, pair->loop);
    assert_int_equal(victim->ours, number); /* the lowest free one */
    pair->victim = NULL;
    watch(victim, EVENT_READ);
}

static void drops_events_of_a_reused_number(void **state)
{
    (void)state;
    AUTO(event_loop) *loop = must_create();
    struct socket_pair pairs[2];
    struct error error;
    for (int i = 0; i < 2; i++) {
        open_pair(&pairs[i], loop);
        pairs[i].victim = &pairs[1 - i];
        assert_true(
            event_loop_watch(loop, pairs[i].ours, EVENT_READ, replace_victim, &pairs[i], &error));
        must_write(pairs[i].peers);
    }

    poll_once(loop); /* the first replaces the second, whose successor has nothing to read */

    assert_int_equal(pairs[0].calls + pairs[1].calls, 1);
    close_pair(&pairs[0]);
    close_pair(&pairs[1]);
}

static void watch_many(void *context, unsigned events)
{
    struct socket_pair *pair = context;
    note(pair, events);
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    int high = dup2(pair->ours, limit.rlim_cur > 4096 ? 4000 : (int)limit.rlim_cur - 1);
    assert_true(high >= 0);
    struct error error;
    assert_true(event_loop_watch(pair->loop, high, EVENT_WRITE, note, pair, &error));
    event_loop_forget(pair->loop, high);
    (void)close(high);
}

static void lets_a_callback_watch_others(void **state)
{
    (void)state;
    AUTO(event_loop) *loop = must_create();
    struct socket_pair pair;
    struct error error;
    open_pair(&pair, loop);
    assert_true(event_loop_watch(loop, pair.ours, EVENT_WRITE, watch_many, &pair, &error));

    poll_once(loop);

    assert_int_equal(pair.calls, 1);
    close_pair(&pair);
}

static void refuses_what_epoll_refuses(void **state)
{
    (void)state;
    AUTO(event_loop) *loop = must_create();
    struct socket_pair pair;
    struct error error;
    open_pair(&pair, loop);
    int closed = dup(pair.ours);
    (void)close(closed);

    assert_false(event_loop_watch(loop, closed, EVENT_READ, note, &pair, &error));
    assert_int_equal(error.kind, ERROR_IO);
    close_pair(&pair);
}

static void waits_no_longer_than_asked(void **state)
{
    (void)state;
    AUTO(event_loop) *loop = must_create();
    int64_t before_ms = clock_monotonic_ms();

    event_loop_poll(loop, 20);

    assert_in_range(clock_monotonic_ms() - before_ms, 19, 5000);
}

static void *wake_later(void *context)
{
    usleep(20000);
    event_loop_wake(context);
    return NULL;
}

static void is_woken_by_another_thread(void **state)
{
    (void)state;
    AUTO(event_loop) *loop = must_create();
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, wake_later, loop), 0);

    event_loop_poll(loop, -1);

    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void remembers_a_wake_up(void **state)
{
    (void)state;
    AUTO(event_loop) *loop = must_create();
    event_loop_wake(loop);
    event_loop_wake(loop);
    int64_t before_ms = clock_monotonic_ms();

    event_loop_poll(loop, -1);
    event_loop_poll(loop, 20); /* both wake-ups were one */

    assert_in_range(clock_monotonic_ms() - before_ms, 19, 5000);
}

static struct event_loop *woken_by_signal;

static void wake_from_signal(int number)
{
    (void)number;
    event_loop_wake(woken_by_signal);
}

static void is_woken_by_a_signal_handler(void **state)
{
    (void)state;
    AUTO(event_loop) *loop = must_create();
    woken_by_signal = loop;
    const struct sigaction action = {.sa_handler = wake_from_signal};
    struct sigaction before;
    assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);

    assert_int_equal(raise(SIGUSR1), 0);
    event_loop_poll(loop, -1);

    assert_int_equal(sigaction(SIGUSR1, &before, NULL), 0);
}

static struct heartbeat shown = {.name = "shown"};

/* Stands still, as far as anybody can see, as soon as it has been woken. */
static void look_at_heartbeat(void *context, unsigned events)
{
    struct socket_pair *pair = context;
    (void)events;
    pair->calls++;
    assert_in_range(shown.beaten_at_ms, clock_monotonic_ms() - 5000, clock_monotonic_ms());
    event_loop_forget(pair->loop, pair->ours);
}

static void *see_it_rest(void *context)
{
    while (atomic_load(&shown.beaten_at_ms) <= clock_monotonic_ms() + 5000)
        usleep(1000);
    assert_int_equal(heartbeat_age_ms(&shown, clock_monotonic_ms() + 5000), 0);
    struct socket_pair *pair = context;
    assert_int_equal(write(pair->peers, "x", 1), 1);
    return NULL;
}

static void shows_until_when_it_rests_and_that_it_woke_up(void **state)
{
    (void)state;
    AUTO(event_loop) *loop = must_create();
    struct socket_pair pair;
    struct error error;
    open_pair(&pair, loop);
    event_loop_show(loop, &shown);
    assert_true(event_loop_watch(loop, pair.ours, EVENT_READ, look_at_heartbeat, &pair, &error));
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, see_it_rest, &pair), 0);

    assert_true(event_loop_poll(loop, 60000));

    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(pair.calls, 1);
    assert_false(event_loop_poll(loop, 0));
    close_pair(&pair);
}

static void nests(void **state)
{
    (void)state;
    AUTO(event_loop) *outer = must_create();
    AUTO(event_loop) *inner = must_create();
    struct socket_pair seen = {.loop = outer, .ours = event_loop_fd(inner)};
    watch(&seen, EVENT_READ);
    poll_once(outer);
    assert_int_equal(seen.calls, 0);

    event_loop_wake(inner);
    poll_once(outer);

    assert_int_equal(seen.calls, 1);
}

/* Whatever else there is to do, a thread that cannot wait would spin or stand still. */
static void ends_the_process_when_it_cannot_wait(void **state)
{
    (void)state;
    int seen[2];
    assert_int_equal(pipe(seen), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)signal(SIGABRT, SIG_DFL);
        (void)dup2(seen[1], STDERR_FILENO);
        struct event_loop *loop = must_create();
        (void)close(event_loop_fd(loop));
        event_loop_poll(loop, 0);
        _exit(0);
    }
    (void)close(seen[1]);
    char text[1024] = "";
    assert_true(read(seen[0], text, sizeof text - 1) > 0);
    (void)close(seen[0]);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_non_null(strstr(text, "Assertion `could_wait' failed"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("reports what is ready, as long as it is, and only what is asked for",
           reports_what_is_ready),
        IT("reports a hang-up as readable and writable", reports_a_hang_up_as_both),
        IT("forgets a descriptor, also one it never watched", forgets),
        IT("drops pending events of a descriptor that was forgotten in the same batch",
           drops_events_of_the_forgotten),
        IT("drops pending events that are not wanted any more", drops_events_nobody_wants_any_more),
        IT("drops pending events when the number belongs to another descriptor by now",
           drops_events_of_a_reused_number),
        IT("lets a callback watch and forget others", lets_a_callback_watch_others),
        IT("says so when a descriptor cannot be watched", refuses_what_epoll_refuses),
        IT("waits no longer than asked", waits_no_longer_than_asked),
        IT("is woken by another thread", is_woken_by_another_thread),
        IT("remembers a wake-up that comes before the poll; several count as one",
           remembers_a_wake_up),
        IT("is woken by a signal handler", is_woken_by_a_signal_handler),
        IT("shows until when it rests, and that it woke up before it runs a callback",
           shows_until_when_it_rests_and_that_it_woke_up),
        IT("can be watched by another loop", nests),
        IT("ends the process when it cannot wait", ends_the_process_when_it_cannot_wait),
    };
    return cmocka_run_group_tests_name("event_loop", tests, NULL, NULL);
}

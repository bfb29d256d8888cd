/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/base/log_sink.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/mutex.h"
#include "lib/base/thread.h"

enum { FLUSH_LOOK_MS = 2, ROOM_LOOK_MS = 1000, NO_GAP = -1 };

enum sink_mode {
    SINK_DIRECT,   /* the caller writes */
    SINK_QUEUED,   /* the thread writes */
    SINK_ABANDONED /* the thread was left behind: every line is lost */
};

/* The queue; it starts over when it is empty, so that a log that is read touches few pages. */
static char ring[LOG_SINK_BYTES];

static struct {
    /* Set by start, then read-only: any thread. */
    log_sink_gap_line *gap_line;
    struct thread thread;
    /* Any thread, holding the lock. */
    struct mutex lock;
    pthread_cond_t has_work; /* for the thread alone */
    size_t first, length;
    ptrdiff_t gap_at;      /* so many bytes behind `first` lines are missing; NO_GAP: none are */
    uint64_t lost_untold;  /* lines that no line has told of yet */
    bool is_thread_asleep; /* and nobody has woken it yet */
    bool is_ending;
    bool is_failing; /* the last write failed: what is missing is told once one does not */
    /* Any thread. */
    _Atomic enum sink_mode mode;
    _Atomic bool is_busy; /* something waits, or is being written */
    _Atomic uint64_t lost;
    _Atomic int64_t writing_since_ms; /* monotonic; 0: nothing is being written */
    _Atomic bool is_line_cut;         /* a part of a line was written, and then no more */
} sink = {.lock = {.handle = PTHREAD_MUTEX_INITIALIZER},
          .has_work = PTHREAD_COND_INITIALIZER,
          .gap_at = NO_GAP};

/* --- writing ------------------------------------------------------------------------- */

/* False when the sink does not take it: it is closed, or its disk is full. Somebody may have made
 * the open file non-blocking, which is no reason to lose anything. */
static bool write_bytes(const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(STDERR_FILENO, bytes, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0 && errno == EAGAIN) {
            struct pollfd room = {.fd = STDERR_FILENO, .events = POLLOUT};
            (void)poll(&room, 1, ROOM_LOOK_MS);
            continue;
        }
        if (written <= 0)
            return false;
        atomic_store(&sink.is_line_cut, bytes[written - 1] != '\n');
        bytes += written;
        length -= (size_t)written;
    }
    return true;
}

/* Whole lines. After a cut one they begin with a line of their own. */
static bool write_lines(const char *lines, size_t length)
{
    if (atomic_load(&sink.is_line_cut) && !write_bytes("\n", 1))
        return false;
    return write_bytes(lines, length);
}

static uint64_t count_lines(const char *lines, size_t length)
{
    uint64_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += lines[i] == '\n';
    return count;
}

/* --- the queue ----------------------------------------------------------------------- */

/* What waits is in the ring, and so is the gap. */
static bool is_sound(void) REQUIRES(sink.lock)
{
    bool is_gap_inside =
        sink.gap_at == NO_GAP || (sink.gap_at >= 0 && (size_t)sink.gap_at <= sink.length);
    return sink.first < LOG_SINK_BYTES && sink.length <= LOG_SINK_BYTES && is_gap_inside;
}

static void put(const char *lines, size_t length) REQUIRES(sink.lock)
{
    assert(length <= LOG_SINK_BYTES - sink.length);
    size_t at = (sink.first + sink.length) % LOG_SINK_BYTES;
    size_t until_wrap = LOG_SINK_BYTES - at < length ? LOG_SINK_BYTES - at : length;
    memcpy(ring + at, lines, until_wrap);
    memcpy(ring, lines + until_wrap, length - until_wrap);
    sink.length += length;
    atomic_store(&sink.is_busy, true);
    assert(is_sound());
}

static void copy_first(char *out, size_t length) REQUIRES(sink.lock)
{
    assert(length <= sink.length);
    size_t until_wrap = LOG_SINK_BYTES - sink.first < length ? LOG_SINK_BYTES - sink.first : length;
    memcpy(out, ring + sink.first, until_wrap);
    memcpy(out + until_wrap, ring, length - until_wrap);
}

/* How much of what waits may be written now: nothing from behind a gap. */
static size_t takeable(void) REQUIRES(sink.lock)
{
    return sink.gap_at != NO_GAP ? (size_t)sink.gap_at : sink.length;
}

/* Whole lines, as many as a pipe takes in one piece (PIPE_BUF), so that lines stay whole among
 * those of other processes too; or one longer line. */
static size_t copy_lines(char out[LOG_SINK_LINE_BYTES_MAX], size_t length) REQUIRES(sink.lock)
{
    size_t copied = length < PIPE_BUF ? length : PIPE_BUF;
    copy_first(out, copied);
    if (copied == length)
        return length;
    const char *end = memrchr(out, '\n', copied);
    if (end == NULL) {
        copied = length < LOG_SINK_LINE_BYTES_MAX ? length : LOG_SINK_LINE_BYTES_MAX;
        copy_first(out, copied);
        end = memchr(out, '\n', copied);
    }
    assert(end != NULL);
    return (size_t)(end + 1 - out);
}

static size_t take(char out[LOG_SINK_LINE_BYTES_MAX]) REQUIRES(sink.lock)
{
    size_t length = copy_lines(out, takeable());
    assert(length <= takeable());
    sink.length -= length;
    sink.first = sink.length > 0 ? (sink.first + length) % LOG_SINK_BYTES : 0;
    if (sink.gap_at != NO_GAP)
        sink.gap_at -= (ptrdiff_t)length;
    assert(is_sound());
    return length;
}

static void note_lost(uint64_t lines) REQUIRES(sink.lock)
{
    atomic_fetch_add(&sink.lost, lines);
    sink.lost_untold += lines;
}

static void give_queued(const char *lines, size_t length)
{
    mutex_lock(&sink.lock);
    bool has_room = length <= LOG_SINK_BYTES - sink.length;
    if (has_room) {
        put(lines, length);
    } else {
        note_lost(count_lines(lines, length));
        if (sink.gap_at == NO_GAP)
            sink.gap_at = (ptrdiff_t)sink.length;
    }
    bool is_woken = has_room && sink.is_thread_asleep;
    sink.is_thread_asleep = sink.is_thread_asleep && !is_woken;
    assert(is_sound());
    mutex_unlock(&sink.lock);
    if (is_woken)
        (void)pthread_cond_signal(&sink.has_work);
}

void log_sink_give(const char *lines, size_t length)
{
    assert(length <= LOG_SINK_LINE_BYTES_MAX && lines[length - 1] == '\n');
    switch (atomic_load_explicit(&sink.mode, memory_order_acquire)) {
    case SINK_DIRECT:
        (void)!write_lines(lines, length); /* there is nobody to tell about a failure */
        return;
    case SINK_QUEUED:
        give_queued(lines, length);
        return;
    case SINK_ABANDONED:
        atomic_fetch_add(&sink.lost, count_lines(lines, length));
        return;
    }
}

/* --- the thread ---------------------------------------------------------------------- */

/* What the thread writes next: lines, or how many are missing; neither: it ends. */
struct work {
    size_t length;
    uint64_t missing;
};

static bool find_work(struct work *work, char lines[LOG_SINK_LINE_BYTES_MAX]) REQUIRES(sink.lock)
{
    assert(is_sound());
    bool is_gap = sink.gap_at == 0;
    if (is_gap && sink.is_failing)
        sink.gap_at = NO_GAP; /* is told behind the next lines that are written */
    if (is_gap && !sink.is_failing)
        work->missing = sink.lost_untold;
    else if (takeable() > 0)
        work->length = take(lines);
    return work->missing > 0 || work->length > 0;
}

static struct work await_work(char lines[LOG_SINK_LINE_BYTES_MAX])
{
    struct work work = {.length = 0};
    mutex_lock(&sink.lock);
    while (!find_work(&work, lines) && !sink.is_ending) {
        atomic_store(&sink.is_busy, false);
        sink.is_thread_asleep = true;
        (void)pthread_cond_wait(&sink.has_work, &sink.lock.handle);
    }
    sink.is_thread_asleep = false;
    mutex_unlock(&sink.lock);
    return work;
}

static void note_outcome(const struct work *work, const char *lines, bool is_written)
{
    uint64_t lost = is_written ? 0 : count_lines(lines, work->length);
    mutex_lock(&sink.lock);
    assert(work->missing <= sink.lost_untold);
    sink.is_failing = !is_written;
    note_lost(lost);
    if (is_written)
        sink.lost_untold -= work->missing;
    if (work->missing > 0)
        sink.gap_at = NO_GAP;
    if (is_written && sink.lost_untold > 0 && sink.gap_at == NO_GAP)
        sink.gap_at = work->missing > 0 ? (ptrdiff_t)sink.length : 0;
    assert(is_sound());
    mutex_unlock(&sink.lock);
}

static void run(void *context)
{
    static char lines[LOG_SINK_LINE_BYTES_MAX];
    (void)context;
    for (;;) {
        struct work work = await_work(lines);
        if (work.length == 0 && work.missing == 0)
            return;
        size_t length = work.missing > 0 ? sink.gap_line(work.missing, lines) : work.length;
        assert(length > 0 && length <= LOG_SINK_LINE_BYTES_MAX);
        atomic_store(&sink.writing_since_ms, clock_monotonic_ms());
        bool is_written = write_lines(lines, length);
        atomic_store(&sink.writing_since_ms, 0);
        note_outcome(&work, lines, is_written);
    }
}

bool log_sink_start(log_sink_gap_line *gap_line, struct error *error)
{
    sink.gap_line = gap_line;
    if (!thread_start(&sink.thread, "log", run, NULL, error))
        return false;
    atomic_store(&sink.mode, SINK_QUEUED);
    return true;
}

/* Takes no lock, so that whoever is about to abort may call it, whatever it holds. */
bool log_sink_flush(int64_t patience_ms)
{
    const struct timespec pause = {.tv_nsec = FLUSH_LOOK_MS * 1000000L};
    int64_t deadline_ms = clock_monotonic_ms() + patience_ms;
    while (atomic_load(&sink.is_busy)) {
        if (clock_monotonic_ms() >= deadline_ms)
            return false;
        (void)nanosleep(&pause, NULL);
    }
    return true;
}

void log_sink_stop(int64_t patience_ms)
{
    if (atomic_load(&sink.mode) != SINK_QUEUED)
        return;
    bool is_written = log_sink_flush(patience_ms);
    mutex_lock(&sink.lock);
    sink.is_ending = true;
    mutex_unlock(&sink.lock);
    (void)pthread_cond_signal(&sink.has_work);
    if (is_written)
        thread_join(&sink.thread);
    else
        thread_detach(&sink.thread);
    if (is_written)
        sink.is_ending = false; /* nobody else is there */
    atomic_store(&sink.mode, is_written ? SINK_DIRECT : SINK_ABANDONED);
}

uint64_t log_sink_lines_lost(void)
{
    return atomic_load(&sink.lost);
}

int64_t log_sink_stuck_ms(int64_t now_ms)
{
    int64_t since_ms = atomic_load(&sink.writing_since_ms);
    return since_ms == 0 || since_ms >= now_ms ? 0 : now_ms - since_ms;
}

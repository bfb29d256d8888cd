/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/net/lingering.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    LINGERING_MAX = 64,
    LINGERING_MS = 2000,
    READS_PER_EVENT_MAX = 16, /* then the others have their turn */
};

struct lingering_socket {
    struct deadline deadline; /* first: found by a cast */
    struct lingering *lingering;
    int fd; /* owned */
};

void lingering_init(struct lingering *lingering, struct event_loop *loop)
{
    *lingering = (struct lingering){.loop = loop, .deadlines.duration_ms = LINGERING_MS};
}

static void end(struct lingering_socket *socket)
{
    assert(socket->lingering->count > 0);
    deadline_clear(&socket->deadline);
    event_loop_forget(socket->lingering->loop, socket->fd);
    (void)close(socket->fd);
    socket->lingering->count--;
    free(socket);
}

void lingering_fini(struct lingering *lingering)
{
    lingering_expire(lingering, INT64_MAX);
    assert(lingering->count == 0);
}

static void drop_input(void *context, unsigned events)
{
    struct lingering_socket *socket = context;
    (void)events;
    char dropped[16384];
    for (int i = 0; i < READS_PER_EVENT_MAX; i++) {
        ssize_t count = recv(socket->fd, dropped, sizeof dropped, MSG_DONTWAIT);
        if (count < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (count <= 0) {
            end(socket);
            return;
        }
    }
}

void lingering_add(struct lingering *lingering, int take_fd, int64_t now_ms)
{
    struct lingering_socket *socket =
        lingering->count < LINGERING_MAX ? calloc(1, sizeof *socket) : NULL;
    if (socket == NULL) {
        (void)close(take_fd);
        return;
    }
    socket->lingering = lingering;
    socket->fd = take_fd;
    lingering->count++;
    assert(lingering->count <= LINGERING_MAX);
    deadline_set(&socket->deadline, &lingering->deadlines, now_ms);
    if (!event_loop_watch(lingering->loop, take_fd, EVENT_READ, drop_input, socket, NULL))
        end(socket);
}

void lingering_add_copy(struct lingering *lingering, int fd, int64_t now_ms)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (copy >= 0)
        lingering_add(lingering, copy, now_ms);
}

void lingering_expire(struct lingering *lingering, int64_t now_ms)
{
    struct deadline *due;
    while ((due = deadline_queue_take_due(&lingering->deadlines, now_ms)) != NULL)
        end((struct lingering_socket *)(void *)due);
}

/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "tests/support/deaf_listener.h"

#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/specification.h"

void deaf_listener_start(struct deaf_listener *deaf, uint32_t host, uint16_t port)
{
    const size_t filler_count = sizeof deaf->fillers / sizeof *deaf->fillers;
    deaf->address = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(host), .sin_port = htons(port)};
    socklen_t length = sizeof deaf->address;
    struct sockaddr *address = (struct sockaddr *)&deaf->address;
    deaf->fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(deaf->fd, address, length), 0);
    assert_int_equal(listen(deaf->fd, 0), 0);
    assert_int_equal(getsockname(deaf->fd, address, &length), 0);
    for (size_t i = 0; i < filler_count; i++) {
        deaf->fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(deaf->fillers[i], address, length);
    }
}

void deaf_listener_stop(struct deaf_listener *deaf)
{
    for (size_t i = 0; i < sizeof deaf->fillers / sizeof *deaf->fillers; i++)
        (void)close(deaf->fillers[i]);
    (void)close(deaf->fd);
}

/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Not by libsystemd: the protocol is one datagram and promised to stay, while the library would be
 * loaded everywhere, also in images where no systemd will ever run.
 */
#include "lib/base/notify.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Returns the address's size; 0 when `name` is none. */
static socklen_t name_address(const char *name, struct sockaddr_un *out)
{
    size_t length = strlen(name);
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    if ((name[0] != '/' && name[0] != '@') || length >= sizeof out->sun_path)
        return 0;
    memcpy(out->sun_path, name, length);
    /* An abstract name begins with a NUL, and its end is told by the size alone. */
    if (name[0] == '@')
        out->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

bool notify_send(const char *socket_name, const char *lines, struct error *error)
{
    struct sockaddr_un address;
    if (socket_name == NULL)
        return true;
    socklen_t address_size = name_address(socket_name, &address);
    if (address_size == 0)
        return error_set(error, ERROR_CONFIG, "NOTIFY_SOCKET is neither a path nor @name");
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_set(error, ERROR_IO, "socket: %s", strerror(errno));
    size_t length = strlen(lines);
    bool is_sent = sendto(fd, lines, length, MSG_NOSIGNAL | MSG_DONTWAIT,
                          (const struct sockaddr *)&address, address_size) == (ssize_t)length;
    if (!is_sent)
        (void)error_set(error, ERROR_IO, "NOTIFY_SOCKET: %s", strerror(errno));
    (void)close(fd);
    return is_sent;
}

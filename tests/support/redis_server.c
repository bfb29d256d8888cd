/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "tests/support/redis_server.h"

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/random.h"

#include "tests/support/scratch.h"
#include "tests/support/signal_process.h"

enum { ARGUMENTS_MAX = 64, START_TRIES = 5, READY_WITHIN_MS = 30000, DESCRIPTORS_MAX = 1024 };

struct redis_server {
    char directory[64];
    char socket_path[96];
    char ca_file[96];
    char *arguments[ARGUMENTS_MAX]; /* owned; from the caller */
    size_t argument_count;
    enum redis_server_listen listen;
    uint16_t port;
    pid_t pid; /* 0: not running */
};

__attribute__((noreturn, format(printf, 1, 2))) static void give_up(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    (void)fputc('\n', stderr);
    abort();
}

/* Below the ports that the kernel gives to outgoing connections, so that nobody takes it between
 * two lives. */
static uint16_t random_port(void)
{
    return (uint16_t)(16384 + random_u64() % 16384);
}

/* A certificate that is its own authority. */
static void make_certificate(struct redis_server *server)
{
    char command[512];
    (void)snprintf(server->ca_file, sizeof server->ca_file, "%s/redis.crt", server->directory);
    (void)snprintf(command, sizeof command,
                   "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
                   "-subj /CN=redis -addext subjectAltName=IP:127.0.0.1,DNS:localhost "
                   "-keyout %s/redis.key -out %s 2>/dev/null",
                   server->directory, server->ca_file);
    if (system(command) != 0) /* NOLINT(cert-env33-c): a fixed command of a test */
        give_up("openssl makes no certificate");
}

static void run_server(const struct redis_server *server, pid_t parent)
{
    char port[8];
    (void)snprintf(port, sizeof port, "%u", (unsigned)server->port);
    bool is_tls = server->listen == REDIS_SERVER_TLS;
    const char *fixed[] = {"redis-server",
                           "--port",
                           is_tls ? "0" : port,
                           "--bind",
                           "127.0.0.1",
                           "--unixsocket",
                           server->socket_path,
                           "--dir",
                           server->directory,
                           "--save",
                           "",
                           "--daemonize",
                           "no",
                           "--logfile",
                           "redis.log",
                           "--tls-port",
                           is_tls ? port : "0",
                           "--tls-auth-clients",
                           "no",
                           "--tls-cert-file",
                           is_tls ? "redis.crt" : "",
                           "--tls-key-file",
                           is_tls ? "redis.key" : "",
                           "--tls-ca-cert-file",
                           is_tls ? "redis.crt" : ""};
    char *command[ARGUMENTS_MAX + sizeof fixed / sizeof *fixed + 1];
    size_t count = 0;
    for (; count < sizeof fixed / sizeof *fixed; count++)
        command[count] = strdup(fixed[count]);
    for (size_t i = 0; i < server->argument_count; i++)
        command[count++] = server->arguments[i];
    command[count] = NULL;

    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    (void)execvp(command[0], command);
    _exit(127);
}

static void spawn(struct redis_server *server)
{
    pid_t parent = getpid();
    (void)unlink(server->socket_path);
    server->pid = fork();
    if (server->pid < 0)
        give_up("fork failed");
    if (server->pid == 0)
        run_server(server, parent);
}

/* It answers, and not that it is still loading. */
static bool is_ready(const struct redis_server *server)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", server->socket_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char answer[128] = "";
    bool is_answered = connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
                       send(fd, "PING\r\n", 6, MSG_NOSIGNAL) == 6 &&
                       recv(fd, answer, sizeof answer - 1, 0) > 0;
    (void)close(fd);
    return is_answered && strncmp(answer, "-LOADING", 8) != 0;
}

/* False when the child ended instead. */
static bool wait_until_ready(struct redis_server *server)
{
    const struct timespec pause = {.tv_nsec = 2000000};
    int64_t deadline_ms = clock_monotonic_ms() + READY_WITHIN_MS;
    while (!is_ready(server)) {
        if (waitpid(server->pid, NULL, WNOHANG) == server->pid) {
            server->pid = 0;
            return false;
        }
        if (clock_monotonic_ms() > deadline_ms)
            give_up("redis-server in %s does not answer", server->directory);
        (void)nanosleep(&pause, NULL);
    }
    return true;
}

struct redis_server *redis_server_start(enum redis_server_listen listen,
                                        const char *const arguments[])
{
    struct redis_server *server = calloc(1, sizeof *server);
    if (server == NULL)
        give_up("out of memory");
    if (!scratch_make(server->directory, sizeof server->directory, "seek-redis"))
        give_up("no temporary directory");
    (void)snprintf(server->socket_path, sizeof server->socket_path, "%s/redis.sock",
                   server->directory);
    for (; arguments != NULL && arguments[server->argument_count] != NULL;
         server->argument_count++) {
        if (server->argument_count == ARGUMENTS_MAX)
            give_up("too many arguments for redis-server");
        server->arguments[server->argument_count] = strdup(arguments[server->argument_count]);
    }
    server->listen = listen;
    if (listen == REDIS_SERVER_TLS)
        make_certificate(server);
    for (unsigned i = 0; i < START_TRIES; i++) {
        server->port = listen == REDIS_SERVER_UNIX ? 0 : random_port();
        spawn(server);
        if (wait_until_ready(server))
            return server;
    }
    give_up("redis-server does not start; see %s/redis.log", server->directory);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

void redis_server_stop(struct redis_server *server)
{
    if (server == NULL)
        return;
    redis_server_kill(server);
    (void)nftw(server->directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    for (size_t i = 0; i < server->argument_count; i++)
        free(server->arguments[i]);
    free(server);
}

void redis_server_url(const struct redis_server *server, struct redis_url *out)
{
    *out = (struct redis_url){.scheme = REDIS_UNIX};
    (void)snprintf(out->host, sizeof out->host, "%s", server->socket_path);
    if (server->listen == REDIS_SERVER_UNIX)
        return;
    *out = (struct redis_url){.scheme = server->listen == REDIS_SERVER_TLS ? REDIS_TLS : REDIS_TCP,
                              .host = "127.0.0.1",
                              .port = server->port};
}

const char *redis_server_socket(const struct redis_server *server)
{
    return server->socket_path;
}

const char *redis_server_directory(const struct redis_server *server)
{
    return server->directory;
}

uint16_t redis_server_port(const struct redis_server *server)
{
    return server->port;
}

const char *redis_server_ca_file(const struct redis_server *server)
{
    return server->ca_file;
}

pid_t redis_server_pid(const struct redis_server *server)
{
    return server->pid;
}

void redis_server_kill(struct redis_server *server)
{
    if (server->pid == 0)
        return;
    (void)signal_process(server->pid, SIGKILL);
    (void)waitpid(server->pid, NULL, 0);
    server->pid = 0;
}

void redis_server_restart(struct redis_server *server)
{
    redis_server_kill(server);
    spawn(server);
    if (!wait_until_ready(server))
        give_up("redis-server does not start again; see %s/redis.log", server->directory);
}

void redis_server_freeze(struct redis_server *server)
{
    (void)signal_process(server->pid, SIGSTOP);
    (void)waitpid(server->pid, NULL, WUNTRACED);
}

void redis_server_thaw(struct redis_server *server)
{
    (void)signal_process(server->pid, SIGCONT);
}

void redis_server_cut(const struct redis_server *server)
{
    unsigned cut = 0;
    for (int fd = 3; fd < DESCRIPTORS_MAX; fd++) {
        struct sockaddr_un peer = {.sun_family = AF_UNSPEC};
        socklen_t length = sizeof peer;
        if (getpeername(fd, (struct sockaddr *)&peer, &length) == 0 && peer.sun_family == AF_UNIX &&
            strncmp(peer.sun_path, server->socket_path, sizeof peer.sun_path) == 0)
            cut += shutdown(fd, SHUT_RDWR) == 0;
    }
    if (cut == 0)
        give_up("nothing is connected to redis-server");
}

__attribute__((format(printf, 2, 0))) static const char *ask(const char *socket_path,
                                                             const char *format, va_list arguments)
{
    static char answer[65536];
    char command[4096];
    int length = snprintf(command, sizeof command, "redis-cli -s %s ", socket_path);
    length += vsnprintf(command + length, sizeof command - (size_t)length, format, arguments);
    if ((size_t)length >= sizeof command)
        give_up("a command line too long for redis-cli");
    FILE *pipe = popen(command, "re");
    if (pipe == NULL)
        give_up("redis-cli does not start");
    size_t got = fread(answer, 1, sizeof answer - 1, pipe);
    (void)pclose(pipe);
    if (got > 0 && answer[got - 1] == '\n')
        got--;
    answer[got] = '\0';
    return answer;
}

const char *redis_cli(const char *socket_path, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const char *answer = ask(socket_path, format, arguments);
    va_end(arguments);
    return answer;
}

const char *redis_server_cli(struct redis_server *server, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const char *answer = ask(server->socket_path, format, arguments);
    va_end(arguments);
    return answer;
}

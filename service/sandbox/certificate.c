/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/sandbox/certificate.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PEM_BYTES_MAX = 65536, NAME_BYTES_MAX = 253 /* RFC 1035, section 3.1, as text */ };

_Static_assert(CERTIFICATE_PATH_BYTES >= PATH_MAX, "what realpath writes fits");

#define DAYS "3650"
#define EXPIRED_DAYS "-1" /* the end is then before the beginning, and in the past */

extern char **environ;

struct paths {
    char ca[CERTIFICATE_PATH_BYTES], ca_key[CERTIFICATE_PATH_BYTES];
    char certificate[CERTIFICATE_PATH_BYTES], key[CERTIFICATE_PATH_BYTES];
    char request[CERTIFICATE_PATH_BYTES];
    /* `subjectAltName=…`, as openssl takes it. */
    char alternatives[80 + NAME_BYTES_MAX];
};

static bool join(const char *directory, const char *prefix, const char *name,
                 char out[CERTIFICATE_PATH_BYTES], struct error *error)
{
    int length = snprintf(out, CERTIFICATE_PATH_BYTES, "%s/%s%s", directory, prefix, name);
    return (length > 0 && length < CERTIFICATE_PATH_BYTES) ||
           error_set(error, ERROR_CONFIG, "the directory's name is too long");
}

static bool name_paths(const char *directory, bool is_expired, struct paths *out,
                       struct error *error)
{
    const char *prefix = is_expired ? "expired-" : "";
    return join(directory, "", "ca.pem", out->ca, error) &&
           join(directory, "", "ca-key.pem", out->ca_key, error) &&
           join(directory, prefix, "cert.pem", out->certificate, error) &&
           join(directory, prefix, "key.pem", out->key, error) &&
           join(directory, prefix, "cert.csr", out->request, error);
}

/* The list is openssl's own syntax: nothing but a name may get into it. */
static bool name_alternatives(const char *name, struct paths *out, struct error *error)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
    if (name != NULL &&
        (*name == '\0' || strlen(name) > NAME_BYTES_MAX || name[strspn(name, letters)] != '\0'))
        return error_set(error, ERROR_CONFIG, "the certificate's name is not the name of a host");
    (void)snprintf(out->alternatives, sizeof out->alternatives,
                   "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1%s%s",
                   name != NULL ? ",DNS:" : "", name != NULL ? name : "");
    return true;
}

static int spawn(pid_t *pid, const char *const argv[])
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    (void)sigemptyset(&none);
    int failure = posix_spawn_file_actions_init(&actions);
    if (failure != 0)
        return failure;
    failure = posix_spawnattr_init(&attributes);
    if (failure == 0) {
        (void)posix_spawnattr_setsigmask(&attributes, &none);
        (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
        (void)posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        (void)posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
        (void)posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
        /* posix_spawn does not change the arguments; its declaration only lacks the const. */
        union {
            const char *const *given;
            char *const *wanted;
        } arguments = {.given = argv};
        failure = posix_spawnp(pid, argv[0], &actions, &attributes, arguments.wanted, environ);
        (void)posix_spawnattr_destroy(&attributes);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    return failure;
}

static bool run(const char *const argv[], struct error *error)
{
    pid_t pid = 0;
    int failure = spawn(&pid, argv);
    if (failure == ENOENT)
        return error_set(error, ERROR_IO, "the program openssl is missing (package openssl)");
    if (failure != 0)
        return error_set(error, ERROR_IO, "openssl: %s", strerror(failure));
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return error_set(error, ERROR_IO, "waiting for openssl: %s", strerror(errno));
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return error_set(error, ERROR_IO, "openssl %s failed", argv[1]);
    return true;
}

static bool make_authority(const struct paths *paths, struct error *error)
{
    const char *const argv[] = {
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        DAYS,
        "-subj",
        "/CN=seek-sandbox",
        "-addext",
        "keyUsage=critical,keyCertSign",
        "-keyout",
        paths->ca_key,
        "-out",
        paths->ca,
        NULL,
    };
    return run(argv, error);
}

static bool make_certificate(const struct paths *paths, bool is_expired, struct error *error)
{
    const char *const ask[] = {
        "openssl",
        "req",
        "-new",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-subj",
        "/CN=localhost",
        "-addext",
        paths->alternatives,
        "-addext",
        "basicConstraints=critical,CA:FALSE",
        "-keyout",
        paths->key,
        "-out",
        paths->request,
        NULL,
    };
    const char *const sign[] = {
        "openssl",
        "x509",
        "-req",
        "-in",
        paths->request,
        "-CA",
        paths->ca,
        "-CAkey",
        paths->ca_key,
        "-copy_extensions",
        "copyall",
        "-days",
        is_expired ? EXPIRED_DAYS : DAYS,
        "-out",
        paths->certificate,
        NULL,
    };
    bool is_made = run(ask, error) && run(sign, error);
    (void)unlink(paths->request); /* may not be there */
    return is_made;
}

static bool is_there(const char *path)
{
    return access(path, R_OK) == 0;
}

static bool make_missing(const struct paths *paths, bool is_expired, struct error *error)
{
    bool has_authority = is_there(paths->ca) && is_there(paths->ca_key);
    if (!has_authority && !make_authority(paths, error))
        return false;
    /* A certificate of a former authority would not be trusted. */
    bool has_certificate = has_authority && is_there(paths->certificate) && is_there(paths->key);
    return has_certificate || make_certificate(paths, is_expired, error);
}

static bool read_file(const char *path, struct buffer *out, struct error *error)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return error_set(error, ERROR_IO, "%s: %s", path, strerror(errno));
    char block[4096];
    size_t length;
    bool is_read = true;
    while (is_read && (length = fread(block, 1, sizeof block, file)) > 0)
        is_read = buffer_append(out, block, length, error);
    if (is_read && ferror(file))
        is_read = error_set(error, ERROR_IO, "%s cannot be read", path);
    (void)fclose(file); /* only read from */
    return is_read;
}

bool certificate_prepare(const char *directory, const char *name, bool is_expired,
                         struct certificate *out, struct error *error)
{
    struct paths paths;
    char absolute[CERTIFICATE_PATH_BYTES];
    *out = (struct certificate){.ca_path = ""};
    buffer_init(&out->certificate_pem, PEM_BYTES_MAX);
    buffer_init(&out->key_pem, PEM_BYTES_MAX);
    if (mkdir(directory, 0700) != 0 && errno != EEXIST)
        return error_set(error, ERROR_IO, "%s: %s", directory, strerror(errno));
    if (realpath(directory, absolute) == NULL)
        return error_set(error, ERROR_IO, "%s: %s", directory, strerror(errno));
    if (!name_paths(absolute, is_expired, &paths, error) ||
        !name_alternatives(name, &paths, error) || !make_missing(&paths, is_expired, error))
        return error_wrap(error, "certificates in %s", directory);
    memcpy(out->ca_path, paths.ca, sizeof out->ca_path);
    return read_file(paths.certificate, &out->certificate_pem, error) &&
           read_file(paths.key, &out->key_pem, error);
}

void certificate_fini(struct certificate *certificate)
{
    buffer_fini(&certificate->certificate_pem);
    buffer_wipe(&certificate->key_pem);
    buffer_fini(&certificate->key_pem);
}

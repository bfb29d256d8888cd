/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/base/secret.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/file_version.h"
#include "lib/base/mutex.h"

enum { CHECK_INTERVAL_MS = 1000 };

struct value {
    char bytes[SECRET_BYTES_MAX + sizeof "\r\n"]; /* with what a file has after it */
    size_t length;                                /* 0: none; an empty secret is none */
};

struct secret {
    /* Set by the constructor, then read-only: any thread. */
    char *path; /* owned; NULL: the value never changes */
    /* Any thread, holding shared.lock. */
    struct {
        struct mutex lock;
        struct value value;
        struct file_version version; /* of the file that the value was read from */
        struct secret_state state;
        int64_t checked_at_ms;
    } shared;
};

static struct secret *secret_create(struct error *error)
{
    struct secret *secret = calloc(1, sizeof *secret);
    if (secret == NULL) {
        (void)error_out_of_memory(error);
        return NULL;
    }
    mutex_init(&secret->shared.lock);
    return secret;
}

void secret_destroy(struct secret *secret)
{
    if (secret == NULL)
        return;
    mutex_fini(&secret->shared.lock);
    free(secret->path);
    explicit_bzero(secret, sizeof *secret);
    free(secret);
}

static bool value_check(const struct value *value, struct error *error)
{
    if (value->length == 0)
        return error_set(error, ERROR_CONFIG, "an empty secret");
    if (value->length > SECRET_BYTES_MAX)
        return error_set(error, ERROR_CONFIG, "a secret longer than %d bytes", SECRET_BYTES_MAX);
    if (memchr(value->bytes, '\0', value->length) != NULL)
        return error_set(error, ERROR_CONFIG, "a secret with a NUL byte");
    return true;
}

struct secret *secret_from_value(const char *value, struct error *error)
{
    struct secret *secret = secret_create(error);
    if (secret == NULL)
        return NULL;
    struct value *own = &secret->shared.value;
    own->length = strnlen(value, SECRET_BYTES_MAX + 1);
    memcpy(own->bytes, value, own->length);
    assert(own->length < sizeof own->bytes);
    if (value_check(own, error))
        return secret;
    secret_destroy(secret);
    return NULL;
}

struct secret *secret_from_file(const char *path, struct error *error)
{
    struct secret *secret = secret_create(error);
    if (secret == NULL)
        return NULL;
    secret->path = strdup(path);
    if (secret->path != NULL)
        return secret;
    (void)error_out_of_memory(error);
    secret_destroy(secret);
    return NULL;
}

static bool read_content(int fd, struct value *out, struct error *error)
{
    out->length = 0;
    while (out->length < sizeof out->bytes) {
        ssize_t got = read(fd, out->bytes + out->length, sizeof out->bytes - out->length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set(error, ERROR_CONFIG, "%s", strerror(errno));
        if (got == 0)
            break;
        out->length += (size_t)got;
    }
    assert(out->length <= sizeof out->bytes);
    if (out->length > 0 && out->bytes[out->length - 1] == '\n') {
        out->length--;
        if (out->length > 0 && out->bytes[out->length - 1] == '\r')
            out->length--;
    }
    return value_check(out, error);
}

/* What is new in an open file: `out` stays empty when its version is still `version`. */
static bool read_changed(int fd, struct file_version *version, struct value *out,
                         struct error *error)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return error_set(error, ERROR_CONFIG, "%s", strerror(errno));
    if (!S_ISREG(status.st_mode))
        return error_set(error, ERROR_CONFIG, "not a regular file");
    struct file_version found = file_version_of(&status);
    if (file_version_is_same(&found, version))
        return true;
    *version = found;
    return read_content(fd, out, error);
}

static bool read_file(const char *path, struct file_version *version, struct value *out,
                      struct error *error)
{
    /* O_NONBLOCK: opening a FIFO would wait for its writer. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    bool is_read = fd >= 0 ? read_changed(fd, version, out, error)
                           : error_set(error, ERROR_CONFIG, "%s", strerror(errno));
    if (fd >= 0)
        (void)close(fd); /* it was only read */
    return is_read || error_wrap(error, "cannot read %s", path);
}

/* Whether this call is the one that looks at the file. Until there is a value, every call is. */
static bool take_check(struct secret *secret, struct file_version *out_version)
{
    int64_t now_ms = clock_monotonic_ms();
    mutex_lock(&secret->shared.lock);
    bool is_due = secret->shared.value.length == 0 ||
                  now_ms - secret->shared.checked_at_ms >= CHECK_INTERVAL_MS;
    if (is_due)
        secret->shared.checked_at_ms = now_ms;
    *out_version = secret->shared.version;
    mutex_unlock(&secret->shared.lock);
    return is_due;
}

static void store(struct secret *secret, const struct value *value,
                  const struct file_version *version)
{
    assert(value->length > 0 && value->length <= SECRET_BYTES_MAX);
    struct value *own = &secret->shared.value;
    mutex_lock(&secret->shared.lock);
    bool is_other =
        own->length != value->length || memcmp(own->bytes, value->bytes, own->length) != 0;
    if (own->length > 0 && is_other)
        secret->shared.state.changes++;
    explicit_bzero(own->bytes, sizeof own->bytes);
    memcpy(own->bytes, value->bytes, value->length);
    own->length = value->length;
    secret->shared.version = *version;
    mutex_unlock(&secret->shared.lock);
}

static void store_reason(struct secret *secret, const char *reason)
{
    mutex_lock(&secret->shared.lock);
    (void)snprintf(secret->shared.state.reason, ERROR_MESSAGE_BYTES, "%s", reason);
    mutex_unlock(&secret->shared.lock);
}

/* False and `error` when the file had to be read and could not. */
static bool refresh(struct secret *secret, struct error *error)
{
    struct file_version version;
    if (secret->path == NULL || !take_check(secret, &version))
        return true;
    struct value fresh;
    fresh.length = 0;
    struct error failure = {.kind = ERROR_NONE};
    bool is_read = read_file(secret->path, &version, &fresh, &failure);
    if (is_read && fresh.length > 0)
        store(secret, &fresh, &version);
    explicit_bzero(&fresh, sizeof fresh);
    store_reason(secret, failure.message);
    return is_read || error_set(error, failure.kind, "%s", failure.message);
}

/* The newest value; false and `error` when there is none yet. The caller wipes `out`. */
static bool copy_newest(struct secret *secret, struct value *out, struct error *error)
{
    bool is_fresh = refresh(secret, error);
    mutex_lock(&secret->shared.lock);
    out->length = secret->shared.value.length;
    memcpy(out->bytes, secret->shared.value.bytes, out->length);
    mutex_unlock(&secret->shared.lock);
    assert(!is_fresh || out->length > 0);
    return out->length > 0;
}

bool secret_read(struct secret *secret, struct buffer *out, struct error *error)
{
    struct value value;
    bool is_read =
        copy_newest(secret, &value, error) && buffer_append(out, value.bytes, value.length, error);
    explicit_bzero(value.bytes, sizeof value.bytes);
    return is_read;
}

/* The time depends on the candidate's length alone, which its sender knows anyway. */
static bool equals_in_constant_time(const char *line, size_t line_length, const char *candidate)
{
    assert(line_length > 0);
    size_t length = strlen(candidate);
    size_t difference = length ^ line_length;
    for (size_t i = 0; i < length; i++) {
        size_t at = i < line_length ? i : 0;
        difference |= (unsigned char)(candidate[i] ^ line[at]);
    }
    return difference == 0;
}

/* Every line is compared, so that the time does not tell which one it was. */
static bool has_line(struct value *value, const char *candidate)
{
    assert(value->length < sizeof value->bytes);
    value->bytes[value->length] = '\0';
    bool is_found = false;
    for (const char *line = value->bytes; *line != '\0'; line += strspn(line, "\r\n")) {
        size_t length = strcspn(line, "\r\n");
        is_found |= length > 0 && equals_in_constant_time(line, length, candidate);
        line += length;
    }
    return is_found;
}

bool secret_has_line(struct secret *secret, const char *candidate)
{
    struct value value;
    bool is_found = copy_newest(secret, &value, NULL) && has_line(&value, candidate);
    explicit_bzero(value.bytes, sizeof value.bytes);
    return is_found;
}

bool secret_is_file(const struct secret *secret)
{
    return secret->path != NULL;
}

void secret_state(struct secret *secret, struct secret_state *out)
{
    (void)refresh(secret, NULL); /* its reason is in the state */
    mutex_lock(&secret->shared.lock);
    *out = secret->shared.state;
    mutex_unlock(&secret->shared.lock);
}

/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/serve/tls_watch.h"

#include <inttypes.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/rfc3339.h"
#include "lib/net/tls_server.h"

#include "service/config/config.h"

enum { LOOK_MS = 1000, FAILURES_LOGGED = 3 /* before that, the files may be in the making */ };

bool tls_watch_open(struct tls_watch *watch, const struct config *config, struct error *error)
{
    const struct tls_server_files files = {.certificate = config->tls_cert_file,
                                           .key = config->tls_key_file,
                                           .client_ca = config->tls_client_ca_file};
    if (files.certificate == NULL)
        return true;
    watch->server = tls_server_create(&files, error);
    return watch->server != NULL || error_wrap(error, "TLS");
}

void tls_watch_close(struct tls_watch *watch)
{
    tls_server_destroy(watch->server);
    watch->server = NULL;
}

static void log_renewed(struct tls_server *server)
{
    struct tls_server_status status;
    char expires_at[RFC3339_BYTES];
    tls_server_status(server, &status);
    rfc3339_format(status.expires_at_ms, expires_at);
    log_info("tls_renewed",
             "New connections get the new certificate; open ones end with their next answer",
             LOG_TEXT("expires_at", expires_at));
}

/* The files may be fine in every other way, and the service goes on: nobody else would say it. */
static void look_at_end(struct tls_watch *watch)
{
    struct tls_server_status status;
    char expires_at[RFC3339_BYTES];
    tls_server_status(watch->server, &status);
    bool has_ended = status.expires_at_ms <= clock_wall_ms();
    rfc3339_format(status.expires_at_ms, expires_at);
    if (has_ended && !watch->is_end_told)
        log_error("tls_certificate_ended",
                  "The certificate of the API listener has expired, so clients refuse it. Put the "
                  "new one and its key into the files; they are read within a second",
                  LOG_TEXT("expires_at", expires_at));
    watch->is_end_told = has_ended;
}

int64_t tls_watch_timeout_ms(const struct tls_watch *watch, int64_t now_ms)
{
    int64_t at_ms = watch->looked_at_ms + LOOK_MS;
    return watch->server == NULL ? -1 : at_ms > now_ms ? at_ms - now_ms : 0;
}

void tls_watch_turn(struct tls_watch *watch, int64_t now_ms)
{
    struct error error;
    if (watch->server == NULL || now_ms - watch->looked_at_ms < LOOK_MS)
        return;
    watch->looked_at_ms = now_ms;
    enum tls_refresh found = tls_server_refresh(watch->server, &error);
    look_at_end(watch);
    if (found == TLS_FILES_BROKEN) {
        if (++watch->failures == FAILURES_LOGGED)
            log_error("tls_files_unusable", error.message,
                      LOG_TEXT("meanwhile", "the certificate read before stays in use"));
        return;
    }
    if (watch->failures >= FAILURES_LOGGED)
        log_info("tls_files_usable", "The files of the TLS listener can be used again");
    watch->failures = 0;
    if (found == TLS_FILES_RENEWED)
        log_renewed(watch->server);
}

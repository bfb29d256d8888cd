# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""A service with everything there is to measure: a spool, spans, notifications, and an API listener that speaks TLS."""
from listener_tls_test import Authority, trusting


def whole_service(stand, sandbox, redis, directory):
    """A started one; its files are in the directory, which is there."""
    authority = Authority(directory, "authority")
    certificate, key = authority.sign("server", "serverAuth")
    service = stand.service(sandbox, redis_url=redis.url, spool_dir=directory / "spool", otel_exporter_otlp_endpoint="http://127.0.0.1:1",
                            tls_cert_file=certificate, tls_key_file=key, notify_url="http://127.0.0.1:1",
                            notify_secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    service.tls = trusting(authority)
    return service.start()

# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""A receiver of notifications: it checks each signature by itself, and answers what it is told."""
import base64
import hashlib
import hmac
import http.server
import json
import ssl
import threading
import time

from stand import eventually

KEY = bytes(range(7, 39))
SECRET = "whsec_" + base64.b64encode(KEY).decode()


def signature(key, identifier, timestamp, body):
    content = f"{identifier}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


class WebhookReceiver:
    """Takes what is posted on 127.0.0.1; `status` may be changed, and is answered to all that comes then."""

    def __init__(self, status=204, tls=None, port=0):
        self.status, self.headers, self.tls = status, {}, tls
        self.requests = []  # (headers, event, status answered)
        self.key = KEY
        self.start(port)

    def start(self, port=0):
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.take(dict(self.headers), body)
                self.send_response(receiver.status)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        scheme = "http"
        if self.tls is not None:
            self.server.socket = self.tls.wrap_socket(self.server.socket, server_side=True)
            scheme = "https"
        self.url = f"{scheme}://127.0.0.1:{self.port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, headers, body):
        headers = {name.lower(): value for name, value in headers.items()}
        wanted = signature(self.key, headers["webhook-id"], headers["webhook-timestamp"], body)
        assert wanted in headers["webhook-signature"].split(" "), headers
        assert abs(time.time() - int(headers["webhook-timestamp"])) < 60
        self.requests.append((headers, json.loads(body), self.status))

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def taken(self, kind=None):
        """The events that it has said yes to."""
        return [event for _, event, status in list(self.requests) if status < 300 and kind in (None, event["type"])]

    def distinct(self, kind):
        """These by their ids: a crash before an answer is recorded repeats what was answered."""
        return list({event["id"]: event for event in self.taken(kind)}.values())

    def must_take(self, kind, count=1):
        eventually(lambda: len(self.taken(kind)) >= count, f"{count} of {kind}; so far {self.requests}")
        assert len(self.taken(kind)) == count, self.requests
        return self.taken(kind)


def tls_context(certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context

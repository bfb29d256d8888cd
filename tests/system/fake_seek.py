# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""A SEEK that answers whatever a test says, byte for byte: what the sandbox, which is a well-behaved one, never does."""
import contextlib
import http.server
import json
import threading

# Compact, as SEEK writes it.
DELIVERED = b'{"data":{"sendSignal":true},"extensions":{"requestLatency":1}}'
ACCESS_TOKEN = "accessToken-/Vb29+xk/7Qw"
GRANT = json.dumps({"access_token": ACCESS_TOKEN, "expires_in": 1800, "token_type": "Bearer"}).encode()


def refusal(code, message):
    return json.dumps({"errors": [{"message": message, "extensions": {"code": code}}], "data": {"sendSignal": None}},
                      separators=(",", ":")).encode()


class FakeSeek:
    """`graphql` and `token` give what is answered: bytes, or (status, headers, bytes), or a function of the request's body."""

    def __init__(self, graphql=DELIVERED, token=GRANT):
        self.answers = {"/graphql": graphql, "/oauth/token": token}
        self.calls = {"/graphql": [], "/oauth/token": []}
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                fake.calls[self.path].append((dict(self.headers), body))
                answer = fake.answers[self.path]
                if callable(answer):
                    answer = answer(body)
                status, headers, content = answer if isinstance(answer, tuple) else (200, {}, answer)
                self.send_response(status)
                for name, value in ({"Content-Type": "application/json; charset=utf-8"} | headers).items():
                    if value is not None:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(content)

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def tokens(self):
        """The seek-tokens that came, in their order."""
        return [body["variables"]["input"]["token"] for _, body in self.calls["/graphql"] if "variables" in body]

    def close(self):
        self.server.shutdown()
        self.server.server_close()

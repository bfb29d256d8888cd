# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""A server that reads each post whole and closes the connection without an answer; the first one on each connection
is answered, when the path is /second. At /busy the first is answered 503 with Retry-After, and each later one 202. Prints its port, then one line for each post."""
import http.server
import sys


class Cut(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    answered = False
    is_busy = True  # of the class: until it has said so

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        print("post", flush=True)
        if self.path == "/busy":
            status, Cut.is_busy = (503 if Cut.is_busy else 202), False
            self.send_response(status)
            self.send_header("Retry-After", "1")
            self.send_header("Content-Type", "application/problem+json" if status == 503 else "application/json")
            body = b'{"retryable":true}' if status == 503 else b"{}"
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        elif self.path == "/second" and not self.answered:
            self.answered = True
            self.send_response(202)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")
        else:
            self.close_connection = True

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Cut)
print(server.server_port, flush=True)
sys.stdout.flush()
server.serve_forever()

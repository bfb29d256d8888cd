# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""SEEK over TLS as load balancers present it: they tire of connections, and say so in their own ways."""
import contextlib
import json
import pathlib
import socket
import ssl
import struct
import subprocess
import threading

from fake_seek import DELIVERED, GRANT

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
END_STREAM, ACK, END_HEADERS = 1, 1, 4
REFUSED_STREAM = 7
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def read_exactly(connection, length):
    data = b""
    while len(data) < length:
        more = connection.recv(length - len(data))
        if not more:
            raise ConnectionError
        data += more
    return data


class ClosingSeek:
    """`script(connection_number, request_number_on_it)` says for each signal what becomes of it: "answer"; "refuse" (REFUSED_STREAM) and
    "goaway" without processing it (HTTP/2); "answer-goaway"; "answer-close" with close_notify, as an idle time-out; "reset"."""

    def __init__(self, directory, protocol, script=lambda connection, request: "answer"):
        self.directory = pathlib.Path(directory)
        self.script, self.protocol = script, protocol
        self.processed, self.seen, self.connections, self.closed, self.versions = [], 0, 0, 0, []
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=seek",
                        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "seek-key.pem", "-out", "seek.pem"], cwd=directory, check=True, capture_output=True)
        self.ca = self.directory / "seek.pem"
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(self.ca, self.directory / "seek-key.pem")
        self.tls.set_alpn_protocols([protocol])
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.lock = threading.Lock()
        threading.Thread(target=self.accept, daemon=True).start()

    def settings(self, **more):
        """With time for handshakes that are slow by themselves: a busy machine is no server that tires."""
        return dict(graphql_url=f"https://{self.address}/graphql", token_url=f"https://{self.address}/oauth/token", ca_file=self.ca,
                    request_timeout_ms=60000) | more

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return  # closed
            # Else a close_notify behind an answer waits for its acknowledgement (Nagle), up to 40 ms.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, plain):
        with contextlib.suppress(OSError, ConnectionError, ssl.SSLError), plain, self.tls.wrap_socket(plain, server_side=True) as connection:
            with self.lock:
                self.connections += 1
                number = self.connections
                self.versions.append(connection.version())
            (self.serve_http2 if self.protocol == "h2" else self.serve_http1)(connection, plain, number)

    def take(self, body):
        """The answer's body, and whether it was a signal."""
        self.processed.append(body["variables"]["input"]["token"] if "variables" in body else None)
        return DELIVERED if "variables" in body else GRANT

    # --- HTTP/1.1 ---

    def serve_http1(self, connection, plain, number):
        signals = 0
        while True:
            head = b""
            while b"\r\n\r\n" not in head:
                more = connection.recv(65536)
                if not more:
                    return
                head += more
            head, _, rest = head.partition(b"\r\n\r\n")
            length = int(next(line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")))
            body = json.loads(rest + read_exactly(connection, length - len(rest)))
            what = "answer"
            if "variables" in body:
                signals += 1
                self.seen += 1
                what = self.script(number, signals)
            if what == "reset":
                plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            answer = self.take(body)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(answer) + answer)
            if what == "answer-close":
                connection.setblocking(False)
                with contextlib.suppress(ssl.SSLWantReadError):
                    connection.unwrap()  # close_notify; the socket stays open until the peer goes
                self.closed += 1
                connection.setblocking(True)
                with contextlib.suppress(OSError, ssl.SSLError):
                    connection.unwrap()
                return

    # --- HTTP/2 ---

    def serve_http2(self, connection, plain, number):
        assert read_exactly(connection, len(PREFACE)) == PREFACE
        connection.sendall(frame(SETTINGS, 0, 0))
        bodies, signals, last = {}, 0, 2**31
        while True:
            length, kind, flags, stream = struct.unpack(">IBBI", b"\0" + read_exactly(connection, 9))
            payload = read_exactly(connection, length)
            if kind == SETTINGS and not flags & ACK:
                connection.sendall(frame(SETTINGS, ACK, 0))
            elif kind == PING and not flags & ACK:
                connection.sendall(frame(PING, ACK, 0, payload))
            elif kind in (HEADERS, DATA):
                bodies[stream] = bodies.get(stream, b"") + (payload if kind == DATA else b"")
                if not flags & END_STREAM or stream > last:
                    continue  # what is behind the last one is not processed
                body, what = json.loads(bodies.pop(stream)), "answer"
                if "variables" in body:
                    signals += 1
                    self.seen += 1
                    what = self.script(number, signals)
                if what == "reset":
                    plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return
                if what == "refuse":
                    connection.sendall(frame(RST_STREAM, 0, stream, struct.pack(">I", REFUSED_STREAM)))
                elif what == "goaway":  # the last stream that was processed is the one before
                    last = max(stream - 2, 0)
                    connection.sendall(frame(GOAWAY, 0, 0, struct.pack(">II", last, 0)))
                else:
                    answer = self.take(body)
                    connection.sendall(frame(HEADERS, END_HEADERS, stream, b"\x88") + frame(DATA, END_STREAM, stream, answer))
                    if what == "answer-goaway":
                        last = stream
                        connection.sendall(frame(GOAWAY, 0, 0, struct.pack(">II", last, 0)))

    def close(self):
        self.listener.close()

# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Commands where nobody answers, or another program does; and a sentinel in the place of Redis."""
import contextlib
import http.server
import socket
import threading

import pytest

from stand import eventually

COMMANDS = [["status"], ["status", "A-1"], ["dead", "list"], ["dead", "list", "--format", "csv"], ["dead", "replay", "--all"],
            ["dead", "forget", "--all"], ["replay", "A-1"], ["forget", "A-1"], ["pause"], ["resume"], ["tail"], ["health"]]


@contextlib.contextmanager
def another_server(status, content_type, body):
    """As it comes with a machine: whatever it is asked, the answer is this."""
    class Other(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_DELETE = do_GET

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Other)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("status, content_type, body", [
    (404, "text/html", b"<html>Not here</html>"), (200, "text/html; charset=utf-8", b"<html>It works!</html>"),
    (501, "application/json", b"{}"), (404, "", b"")])
def it_says_that_another_server_answers(stand, status, content_type, body):
    with another_server(status, content_type, body) as address:
        for command in COMMANDS:
            if command == ["health"] and "json" in content_type:
                continue  # it asks for no more than a status
            done = stand.service().run(*command, listen=address, ops_listen=address)
            said = f"{address} answers with HTTP status {status}; is this a seek-signal?"
            assert done.returncode == 1 and said in done.stderr and done.stdout == "", (command, done)


def it_says_so_of_an_answer_that_is_no_json(stand):
    with another_server(200, "application/json", b"<html>") as address:
        for command in (["status"], ["dead", "list"], ["pause"], ["tail"]):
            done = stand.service().run(*command, listen=address)
            assert done.returncode == 1 and f"{address} answers with HTTP status 200; is this a seek-signal?" in done.stderr, (command, done)


def it_names_the_socket_where_nobody_answers(stand):
    path = f"{stand.directory}/api"
    for expected in ("No such file or directory", "nobody listens there"):
        for command in COMMANDS:
            done = stand.service().run(*command, listen=f"unix:{path}", ops_listen=f"unix:{path}")
            assert done.returncode == 1 and f"no answer from unix:{path}: {expected}; is the service running?" in done.stderr, (command, done)
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as closed:
            closed.bind(path)


@pytest.mark.parametrize("scheme", ["redis", "redis+cluster"])
def it_knows_a_sentinel_in_the_place_of_redis(stand, redis, sandbox, scheme):
    (sentinel,) = stand.sentinels(redis, replicas=0, count=1)
    service = stand.service(sandbox, redis_url=f"{scheme}://127.0.0.1:{sentinel.port}")
    done = service.run("check")
    assert done.returncode == 1 and "let REDIS_URL begin with redis+sentinel://" in done.stdout, done
    service.start(is_ready=False)
    eventually(lambda: "let REDIS_URL begin with redis+sentinel://" in service.get("/readyz").json["detail"], "readiness says what to do")

# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Requests that libmicrohttpd answers, or nobody: what docs/errors.md says under "Without a problem document"."""
import socket

import pytest

LIMIT = 8192  # MAX_HEADER_BYTES
ENTRY = 64  # of each header and each cookie
ALWAYS_ANSWERED, ANSWERED_AGAIN = 1000, 2000  # bytes over the limit; between them there may be no answer


def ask(service, request):
    """The status and whether the answer is a problem document, or None: the connection is closed without an answer."""
    with socket.create_connection(service.address.rsplit(":", 1), timeout=60) as connection:
        connection.sendall(request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            try:
                more = connection.recv(65536)
            except ConnectionResetError:
                more = b""
            if not more:
                break
            answer += more
    return (int(answer.split()[1]), b"application/problem+json" in answer) if answer else None


def head(line, *headers):
    return "\r\n".join([line, "Host: localhost", *headers, "", ""]).encode()


@pytest.mark.parametrize("request_line", ["GARBAGE", "GET", "GET\t/livez\tHTTP/1.1", " GET /livez HTTP/1.1"])
def it_closes_at_a_request_line_without_words(request_line, service):
    assert ask(service, head(request_line)) is None
    assert ask(service, f"{request_line}\r\n\r\n".encode()) is None


@pytest.mark.parametrize("request_line, status", [
    ("GET /livez", 400), ("GET /livez HTTP/2", 400), ("GET /livez HTTP/1.x", 400), ("GET /livez HTTP/1.10", 400), ("GET /livez http/1.1", 400),
    ("GET /livez HTTP/0.9", 505), ("GET /livez HTTP/2.0", 505), ("GET /livez HTTP/3.0", 505), ("GET /livez HTTP/9.9", 505)])
def it_refuses_versions(request_line, status, service):
    assert ask(service, head(request_line)) == (status, False)


@pytest.mark.parametrize("headers, body, status", [
    (["no colon"], "", 400), (["Content-Length: abc"], "", 400), (["Content-Length: -1"], "", 400), (["Content-Length: 18446744073709551616"], "", 413),
    (["Transfer-Encoding: chunked"], "x\r\n", 400), (["Transfer-Encoding: chunked"], "1\r\nabc\r\n", 400),
    (["Transfer-Encoding: chunked"], "10000000000000000\r\n", 413)])
def it_refuses_what_breaks_http(headers, body, status, service):
    assert ask(service, head("POST /v1/events HTTP/1.1", "Content-Type: application/json", *headers) + body.encode()) == (status, False)


def it_has_a_problem_document_for_other_lengths(service):
    assert ask(service, head("POST /v1/events HTTP/1.1", "Content-Type: application/json", "Content-Length: 18446744073709551614")) == (413, True)


# Each gives the head and what it counts.
def long_header(size):
    request = head("GET /livez HTTP/1.1", "X-Long: " + "x" * size)
    return request, len(request) + 2 * ENTRY


def long_header_and_id(size):
    request = head("GET /livez HTTP/1.1", "Connection: close", "X-Request-Id: " + "r" * 128, "X-Long: " + "x" * size)
    return request, len(request) + 4 * ENTRY


def long_post(size):
    request = head("POST /v1/events HTTP/1.1", "Content-Type: application/json", "Content-Length: 2", "X-Long: " + "x" * size)
    return request + b"{}", len(request) + 4 * ENTRY


def long_path(size):
    request = head(f"GET /{'p' * size} HTTP/1.1")
    return request, len(request) + ENTRY


def long_query(size):
    request = head(f"GET /livez?a={'q' * size} HTTP/1.1")
    return request, len(request) + ENTRY


def many_arguments(size):
    request = head(f"GET /livez?{'a=1&' * (size // 4)} HTTP/1.1")
    return request, len(request) + ENTRY


def many_headers(size):
    request = head("GET /livez HTTP/1.1", *["X-Header: 12345678"] * (size // 20))
    return request, len(request) + (1 + size // 20) * ENTRY


def long_cookie(size):
    request = head("GET /livez HTTP/1.1", "Cookie: a=" + "c" * size)
    return request, len(request) + 3 * ENTRY + size + 2


def many_cookies(size):
    request = head("GET /livez HTTP/1.1", "Cookie: " + "a;" * (size // 2))
    return request, len(request) + (2 + size // 2) * ENTRY + size // 2 * 2


@pytest.mark.parametrize("shape", [long_header, long_header_and_id, long_post, long_path, long_query, many_arguments, many_headers, long_cookie, many_cookies])
def it_is_silent_only_where_the_documents_say_so(shape, service):
    silent = 0
    for size in range(100, LIMIT + ANSWERED_AGAIN + 1000, 40):
        request, counted = shape(size)
        over, answer = counted - LIMIT, ask(service, request)
        told = f"{shape.__name__}({size}), {over} bytes over the limit: {answer}"
        if over <= 0:
            assert answer and answer[0] not in (414, 431), told
        elif over <= ALWAYS_ANSWERED:
            assert answer == (431, True), told
        elif answer is None:
            assert "cookie" in shape.__name__ or over <= ANSWERED_AGAIN, told
            silent += 1
        else:
            assert answer[0] in (414, 431), told
    assert silent, "the documents need not speak of it any more"

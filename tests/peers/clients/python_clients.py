#!/usr/bin/python3
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""usage: python_clients.py requests|httpx|aiohttp version|once|send|lines URL [COUNT]

`once` makes two posts as the library does by default; `send` posts COUNT events as docs/clients.md has it; `lines` posts each
line of the standard input, a query and a body with a tab in between, and prints status and microseconds, or what it throws."""
import asyncio
import sys
import time


def bodies(count):
    for n in range(count):
        yield {"applicationId": f"{sys.argv[1]}-{n}", "token": f"token-{sys.argv[1]}-{n}"}


def must_retry(status, problem):
    if status >= 400 and not problem.get("retryable"):
        raise SystemExit(f"refused: {problem}")
    return status >= 400


def lines():
    for line in sys.stdin:
        query, body = line.rstrip("\n").split("\t", 1)
        yield query, body, time.monotonic()


def tell(result, began):
    print(result, int((time.monotonic() - began) * 1e6), flush=True)


JSON = {"Content-Type": "application/json"}


def with_requests(mode, url, count):
    import requests
    http = requests.Session()
    http.trust_env = False  # no proxy
    if mode == "once":
        return [http.post(url, json={}) for _ in range(2)]
    if mode == "lines":
        for query, body, began in lines():
            try:
                tell(http.post(url + query, data=body, headers=JSON, timeout=60).status_code, began)
            except requests.RequestException as error:
                tell(type(error).__name__, began)
        return
    for body in bodies(count):
        while True:
            try:
                answer = http.post(url, json=body, timeout=10)
                if not must_retry(answer.status_code, answer.json()):
                    break
            except requests.RequestException:
                pass
            time.sleep(0.25)
        time.sleep(0.02)


def with_httpx(mode, url, count):
    import httpx
    http = httpx.Client(trust_env=False, **({} if mode == "once" else {"timeout": 10}))
    if mode == "once":
        return [http.post(url, json={}) for _ in range(2)]
    if mode == "lines":
        for query, body, began in lines():
            try:
                tell(http.post(url + query, content=body, headers=JSON, timeout=60).status_code, began)
            except httpx.TransportError as error:
                tell(type(error).__name__, began)
        return
    for body in bodies(count):
        while True:
            try:
                answer = http.post(url, json=body)
                if not must_retry(answer.status_code, answer.json()):
                    break
            except httpx.TransportError:
                pass
            time.sleep(0.25)
        time.sleep(0.02)


async def with_aiohttp(mode, url, count):
    import aiohttp
    async with aiohttp.ClientSession() as http:
        if mode == "once":
            for _ in range(2):
                async with http.post(url, json={}) as answer:
                    await answer.read()
            return
        if mode == "lines":
            for query, body, began in lines():
                try:
                    async with http.post(url + query, data=body, headers=JSON, timeout=aiohttp.ClientTimeout(60)) as answer:
                        await answer.read()
                        tell(answer.status, began)
                except aiohttp.ClientError as error:
                    tell(type(error).__name__, began)
            return
        for body in bodies(count):
            while True:
                try:
                    async with http.post(url, json=body, timeout=aiohttp.ClientTimeout(10)) as answer:
                        if not must_retry(answer.status, await answer.json(content_type=None)):
                            break
                except (aiohttp.ClientError, asyncio.TimeoutError):
                    pass
                await asyncio.sleep(0.25)
            await asyncio.sleep(0.02)


def main():
    library, mode = sys.argv[1:3]
    if mode == "version":
        print(library, __import__(library).__version__)
        return
    url, count = sys.argv[3], int(sys.argv[4]) if len(sys.argv) > 4 else 0
    try:
        if library == "aiohttp":
            asyncio.run(with_aiohttp(mode, url, count))
        else:
            {"requests": with_requests, "httpx": with_httpx}[library](mode, url, count)
    except Exception as error:
        if mode == "send":
            raise
        print(type(error).__name__)


main()

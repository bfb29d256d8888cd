# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# A receiver for NOTIFY_URL, for Python 3.9 and later. It checks the signature, and prints each notification once.
#   NOTIFY_SECRET=whsec_… python3 receiver.py PORT
import base64
import collections
import hashlib
import hmac
import http.server
import json
import os
import sys
import time

SECRET = os.environ["NOTIFY_SECRET"]
KEY = base64.b64decode(SECRET.removeprefix("whsec_")) if SECRET.startswith("whsec_") else SECRET.encode()
TOLERANCE_S = 300  # an old message may be somebody's who has recorded it
seen = collections.OrderedDict()  # ids: each comes once, but for crashes and lost answers. Yours belong into your database


def is_genuine(headers, body):
    identifier, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > TOLERANCE_S:
        return False
    digest = hmac.new(KEY, f"{identifier}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    expected = "v1," + base64.b64encode(digest).decode()
    # While the key changes there are two signatures; one that fits is enough.
    return any([hmac.compare_digest(expected, given) for given in headers.get("webhook-signature", "").split(" ")])


def act_on(event):
    data = event["data"]
    if event["type"] == "application.dead":
        print("dead", data["applicationId"], data["lastError"].get("code", ""), flush=True)
    else:  # sending.stalled, sending.resumed, notification.test
        print(event["type"], data.get("reason", ""), flush=True)


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not is_genuine(self.headers, body):
            return self.answer(401)
        if self.headers["webhook-id"] not in seen:
            act_on(json.loads(body))  # when this fails, no answer is given, and the event comes again
            seen[self.headers["webhook-id"]] = True
            if len(seen) > 10000:
                seen.popitem(last=False)
        return self.answer(204)

    def answer(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()

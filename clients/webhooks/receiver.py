"""A receiver of Merit's webhooks, for Python without packages: checks signature and time, takes each message once, and drops what comes late.

    WEBHOOK_SECRETS='whsec_...' python3 receiver.py 9000
"""

import base64
import hashlib
import hmac
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# Seconds by which the clocks may differ, and for which an id has to be remembered at least.
WINDOW_SECONDS = 300


def fault(headers, body, secrets, now=None):
    """What is wrong with a message; None where it is Merit's and of now.

    headers: a mapping with names in lower case. body: the bytes as they came. secrets: those that hold, two while one takes the place of another.
    """
    now = time.time() if now is None else now
    id_, at, signatures = (headers.get(name) for name in ("webhook-id", "webhook-timestamp", "webhook-signature"))
    if not id_ or not at or not signatures:
        return "it is not signed"
    if not at.isdecimal() or abs(now - int(at)) > WINDOW_SECONDS:
        return "it is not of now"
    content = f"{id_}.{at}.".encode() + body
    expected = [
        "v1," + base64.b64encode(hmac.new(base64.b64decode(s.removeprefix("whsec_")), content, hashlib.sha256).digest()).decode()
        for s in secrets
    ]
    is_right = any(hmac.compare_digest(e.encode(), s.encode()) for s in signatures.split(" ") for e in expected)
    return None if is_right else "its signature is not right"


class Inbox:
    """Remembers what was taken. A receiver that may be restarted keeps this in its database."""

    def __init__(self):
        self.ids = set()
        self.sequences = {}

    def take(self, id_, data):
        """'new', 'repeated', or 'late': a later state of the auction is known already."""
        if id_ in self.ids:
            return "repeated"
        self.ids.add(id_)
        if data["sequence"] < self.sequences.get(data["auction"], 0):
            return "late"
        self.sequences[data["auction"]] = data["sequence"]
        return "new"


def main():
    secrets = os.environ.get("WEBHOOK_SECRETS", "").split(" ")
    inbox = Inbox()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            wrong = fault({name.lower(): value for name, value in self.headers.items()}, body, secrets)
            if wrong is None:
                message = json.loads(body)
                print(inbox.take(self.headers["webhook-id"], message["data"]), message["type"], flush=True)
            # 2xx: it is taken. Anything else, and Merit tries again.
            self.send_response(204 if wrong is None else 401)
            self.end_headers()

    ThreadingHTTPServer(("", int(sys.argv[1]) if len(sys.argv) > 1 else 9000), Receiver).serve_forever()


if __name__ == "__main__":
    main()

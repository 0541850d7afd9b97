"""Forwards AWS requests to another address, and denies the actions that a file lists.

gate.py --port PORT --to URL --denied FILE

The file is read at every request. It has one action per line, such as DescribeSubnets.
"""

import argparse
import http.server
import pathlib
import urllib.error
import urllib.parse
import urllib.request

DENIED = (
    "<Response><Errors><Error><Code>UnauthorizedOperation</Code>"
    "<Message>You are not authorized to perform this operation.</Message></Error></Errors></Response>"
)


class Gate(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def forward(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        action = urllib.parse.parse_qs(body.decode("utf-8", "replace")).get("Action", [""])[0]
        if action and action in arguments.denied.read_text().split():
            self.answer(403, {"content-type": "text/xml"}, DENIED.encode())
            return
        request = urllib.request.Request(arguments.to + self.path, body or None, method=self.command)
        for name, value in self.headers.items():
            if name.lower() not in ("host", "connection", "content-length"):
                request.add_header(name, value)
        request.add_header("host", self.headers["host"])
        try:
            with urllib.request.urlopen(request) as answer:
                self.answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as answer:
            self.answer(answer.code, answer.headers, answer.read())

    do_GET = do_POST = do_HEAD = do_PUT = forward

    def answer(self, status, headers, body):
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in ("content-length", "connection", "transfer-encoding", "date", "server"):
                self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, required=True)
parser.add_argument("--to", required=True)
parser.add_argument("--denied", type=pathlib.Path, required=True)
arguments = parser.parse_args()
http.server.ThreadingHTTPServer(("127.0.0.1", arguments.port), Gate).serve_forever()

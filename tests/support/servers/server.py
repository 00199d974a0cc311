"""Common part of the small model servers of the tests: JSON over HTTP on loopback, on a
port that the system picks and that is printed when it listens."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def keep_to_core(number):
    """Restricts the process to one core, as if it had a machine of its own. Must be called
    before the model is loaded."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[number % len(cores)]})


def serve(path, answer):
    """Answers each POST to a path below /v1 with the result of `answer(headers, body)`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            self.reply(200, {"object": "list", "data": []})

        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.path != f"/v1/{path}":
                return self.reply(404, {"error": {"message": f"nothing at {self.path}"}})
            try:
                self.reply(200, answer(self.headers, body))
            except Exception as error:
                self.reply(400, {"error": {"message": str(error), "type": "invalid_request_error"}})

        def reply(self, status, value):
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(f"listening on http://127.0.0.1:{server.server_port}/v1", flush=True)
    server.serve_forever()

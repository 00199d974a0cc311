"""Scripted provider on loopback that speaks four dialects and validates what it receives.

Each dialect has its own base path: /openai/v1, /openai-responses/v1, /azure, /anthropic/v1 and
/gemini/v1beta. A request that violates the API gets status 400; GET /faults returns all
violations, and GET /requests the bodies. The model `limited` answers with status 429."""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import chat
import gemini
import messages
import responses
from script import answer
from shapes import Fault, require

KEY = "sk-planted-3f9c17-backend-key"
FAULTS, REQUESTS, LOCK = [], [], threading.Lock()
AZURE = re.compile(r"/azure/openai/deployments/([^/]+)/chat/completions\?api-version=2024-10-21")
GEMINI = re.compile(r"/gemini/v1beta/models/([^/:]+):(generateContent|streamGenerateContent\?alt=sse)")


def read(path, headers, body):
    """Returns the module of the dialect and the turn, or raises a `Fault`."""
    if path.startswith("/anthropic/"):
        require(path == "/anthropic/v1/messages", "path", path)
        require(headers["x-api-key"] == KEY, "headers", "no x-api-key")
        return messages, messages.read(body, headers)
    if path.startswith("/gemini/"):
        found = GEMINI.fullmatch(path)
        require(found, "path", path)
        require(headers["x-goog-api-key"] == KEY, "headers", "no x-goog-api-key")
        return gemini, gemini.read(body, found[1], found[2] != "generateContent")
    if path.startswith("/azure/"):
        found = AZURE.fullmatch(path)
        require(found, "path", path)
        require(headers["api-key"] == KEY, "headers", "no api-key")
        return chat, chat.read({"model": found[1], **body})
    require(headers["authorization"] == f"Bearer {KEY}", "headers", "no authorization")
    if path == "/openai-responses/v1/responses":
        return responses, responses.read(body)
    require(path in ("/openai/v1/chat/completions", "/openai-responses/v1/chat/completions"), "path", path)
    return chat, chat.read(body)


def dialect_of(path):
    """Returns the module whose format the errors of a path have."""
    if path.startswith("/anthropic/"):
        return messages
    return gemini if path.startswith("/gemini/") else chat


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        with LOCK:
            self.reply(200, {"/faults": FAULTS, "/requests": REQUESTS}.get(self.path, {}))

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with LOCK:
            REQUESTS.append({"path": self.path, "body": body})
        try:
            require(self.headers["content-type"] == "application/json", "headers", "no JSON")
            if self.path == "/anthropic/v1/messages/count_tokens":
                require(self.headers["x-api-key"] == KEY, "headers", "no x-api-key")
                return self.reply(200, messages.count(body, self.headers))
            dialect, turn = read(self.path, self.headers, body)
            if turn.model == "limited":
                return self.reply(429, dialect.error(429, "Rate limit reached for requests"), retry=True)
            said = answer(turn)
        except Fault as fault:
            with LOCK:
                FAULTS.append(f"{self.path} {fault}")
            return self.reply(400, dialect_of(self.path).error(400, str(fault)))
        if turn.stream:
            return self.stream(dialect.stream(turn, said, body))
        if dialect is responses:
            return self.reply(200, responses.whole(turn, said, body))
        return self.reply(200, dialect.whole(turn, said))

    def reply(self, status, value, retry=False):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        if retry:
            self.send_header("retry-after", "7")
        self.end_headers()
        self.wfile.write(body)

    def stream(self, events):
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for name, data in events:
            line = data if isinstance(data, str) else json.dumps(data)
            event = (f"event: {name}\n" if name else "") + f"data: {line}\n\n"
            self.wfile.write(f"{len(event.encode()):x}\r\n{event}\r\n".encode())
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()

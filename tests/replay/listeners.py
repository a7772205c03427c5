"""Those who are told of a night that failed: a web server and a mail server on this machine that keep what they get."""

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from pipelines.settings import Settings

SECRET = "s3cret-word"


class _Hook(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.came.append((self.path, json.loads(body)))  # type: ignore[attr-defined]
        self.send_response(self.server.answer)  # type: ignore[attr-defined]
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def webhook(answer: int = 200) -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Hook) as server:
        server.came, server.answer = [], answer  # type: ignore[attr-defined]
        with running(server):
            yield server


class _Mailbox(socketserver.StreamRequestHandler):
    """As much of SMTP as a client needs to hand over one mail."""

    def handle(self) -> None:
        self.say("220 ready")
        while line := self.rfile.readline().decode().strip():
            self.server.asked.append(line)  # type: ignore[attr-defined]
            word = line.split(":")[0].upper()
            refused = next((code for start, code in self.server.refuses.items() if word.startswith(start)), "")  # type: ignore[attr-defined]
            if refused:
                self.say(f"{refused} not here, {line}")
            elif word.startswith("EHLO"):
                self.say("250-here\r\n250 AUTH PLAIN")
            elif word.startswith("AUTH"):
                self.say("235 welcome")
            elif word == "DATA":
                self.say("354 go on")
                lines = iter(lambda: self.rfile.readline().decode().rstrip("\r\n"), ".")
                self.server.came.append("\n".join(lines))  # type: ignore[attr-defined]
                self.say("250 taken")
            else:
                self.say("221 bye" if word == "QUIT" else "250 fine")

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@contextmanager
def mailbox(**refuses: str) -> Iterator[socketserver.ThreadingTCPServer]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Mailbox) as server:
        server.came, server.asked, server.refuses = [], [], refuses  # type: ignore[attr-defined]
        with running(server):
            yield server


@contextmanager
def running(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()


def hooked(server, path=f"/{SECRET}"):
    return Settings(Path("data"), 1, "1GB", alert_webhook=f"http://127.0.0.1:{server.server_address[1]}{path}")


def mailed(server, user=""):
    at = f"smtp://{user}127.0.0.1:{server.server_address[1]}"
    return Settings(Path("data"), 1, "1GB", alert_mail="night@example.org", alert_smtp=at)

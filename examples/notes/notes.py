"""Notes: one list of notes in one SQLite file, served on 127.0.0.1:$PORT. Python's standard library and nothing else.

It knows of one user and one database: it is given both by its environment (DATABASE_PATH, PORT).
"""

import html
import json
import os
import signal
import socketserver
import sqlite3
import threading
from contextlib import closing
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

DATABASE_PATH = os.environ["DATABASE_PATH"]
PORT = int(os.environ["PORT"])
MAX_BODY_BYTES = 64 * 1024

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Notes</title>
<style>
  body {{ font: 1.1rem/1.5 system-ui, sans-serif; max-width: 36rem; margin: 3rem auto; padding: 0 1rem; }}
  form {{ display: flex; gap: .5rem; }}
  input {{ flex: 1; font: inherit; padding: .4rem .6rem; }}
  button {{ font: inherit; padding: .4rem 1rem; }}
  li {{ margin: .4rem 0; overflow-wrap: anywhere; }}
  time {{ color: #777; font-size: .8rem; }}
</style>
<h1>Notes</h1>
<form method="post" action="/api/notes">
  <input name="text" placeholder="Something to remember" required>
  <button>Add</button>
</form>
<ul>{items}</ul>
"""


def database():
    connection = sqlite3.connect(DATABASE_PATH, timeout=10)
    connection.row_factory = sqlite3.Row
    return closing(connection)


def create_table():
    with database() as db, db:
        db.execute(
            "CREATE TABLE IF NOT EXISTS notes ("
            " id INTEGER PRIMARY KEY,"
            " text TEXT NOT NULL,"
            " created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')))"
        )


def all_notes():
    with database() as db:
        return [dict(row) for row in db.execute("SELECT id, text, created_at FROM notes ORDER BY id DESC")]


def add_note(text):
    with database() as db, db:
        note_id = db.execute("INSERT INTO notes (text) VALUES (?)", (text,)).lastrowid
        return dict(db.execute("SELECT id, text, created_at FROM notes WHERE id = ?", (note_id,)).fetchone())


class BadRequest(Exception):
    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class Server(ThreadingHTTPServer):
    """Counts the requests under way, so that a stop can wait for them and not for idle connections."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, *args):
        self.under_way = 0
        self.changed = threading.Condition()
        super().__init__(*args)

    def server_bind(self):
        # The parent class asks the network for this machine's name here, which can take seconds.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "localhost", PORT

    def wait_until_quiet(self, seconds):
        with self.changed:
            self.changed.wait_for(lambda: self.under_way == 0, timeout=seconds)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # A response leaves in two writes, the head and the body: the second must not wait for the first's acknowledgement.
    disable_nagle_algorithm = True

    def handle_one_request(self):
        self.counted = False
        try:
            super().handle_one_request()
        finally:
            if self.counted:
                self.count(-1)

    def parse_request(self):
        self.counted = True
        self.count(+1)
        return super().parse_request()

    def count(self, change):
        with self.server.changed:
            self.server.under_way += change
            self.server.changed.notify_all()

    def do_GET(self):
        if self.path == "/":
            item = "<li>{} <time>{}</time>"
            items = (item.format(html.escape(note["text"]), html.escape(note["created_at"])) for note in all_notes())
            self.answer(HTTPStatus.OK, "text/html; charset=utf-8", PAGE.format(items="\n".join(items)))
        elif self.path == "/api/notes":
            self.answer_json(HTTPStatus.OK, all_notes())
        else:
            self.answer_json(HTTPStatus.NOT_FOUND, {"error": "there is nothing here"})

    do_HEAD = do_GET

    def do_POST(self):
        if self.path != "/api/notes":
            self.close_connection = True
            return self.answer_json(HTTPStatus.NOT_FOUND, {"error": "there is nothing here"})
        try:
            text, is_form = self.posted_text()
        except BadRequest as problem:
            # The body may still be on its way: what follows on this connection is not a request.
            self.close_connection = True
            return self.answer_json(problem.status, {"error": str(problem)})
        note = add_note(text)
        if is_form:
            self.answer(HTTPStatus.SEE_OTHER, "text/plain; charset=utf-8", "added\n", location="/")
        else:
            self.answer_json(HTTPStatus.CREATED, note)

    def posted_text(self):
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            raise BadRequest(HTTPStatus.LENGTH_REQUIRED, "the request needs a Content-Length")
        if int(length) > MAX_BODY_BYTES:
            raise BadRequest(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a note has at most {MAX_BODY_BYTES} bytes")
        body = self.rfile.read(int(length))
        is_form = self.headers.get_content_type() == "application/x-www-form-urlencoded"
        try:
            text = parse_qs(body.decode()).get("text", [""])[0] if is_form else json.loads(body)["text"]
        except (ValueError, KeyError, TypeError):
            raise BadRequest(HTTPStatus.BAD_REQUEST, 'send a form with a field "text", or JSON like {"text": "…"}')
        if not isinstance(text, str) or not text.strip():
            raise BadRequest(HTTPStatus.BAD_REQUEST, "the text of a note is missing")
        return text, is_form

    def answer_json(self, status, value):
        self.answer(status, "application/json", json.dumps(value, ensure_ascii=False) + "\n")

    def answer(self, status, content_type, text, location=None):
        body = text.encode("utf-8", "replace")
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'")
        if location is not None:
            self.send_header("Location", location)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def main():
    create_table()
    server = Server(("127.0.0.1", PORT), Handler)
    # shutdown() waits for the loop below, which cannot go on while its own thread is in a signal handler.
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"notes in {DATABASE_PATH}, on port {PORT}", flush=True)
    server.serve_forever(poll_interval=0.1)
    server.socket.close()
    server.wait_until_quiet(seconds=8)


if __name__ == "__main__":
    main()

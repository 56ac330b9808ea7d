"""A WSGI application, for any WSGI server: says who asked for what, and in which process it runs."""

import json
import os


def app(environ, start_response):
    answer = {
        "method": environ["REQUEST_METHOD"],
        "path": environ["PATH_INFO"],
        "host": environ.get("HTTP_HOST"),
        "pid": os.getpid(),
    }
    body = (json.dumps(answer) + "\n").encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]

"""A service that misbehaves on demand: `actor.py ID PORT FOLDER`.

What it does wrong is decided by files in FOLDER, looked for at each request or at the start:
ID.sick answers 503, ID.hang accepts and never answers, ID.crash exits with 7 at the start,
ID.stubborn ignores SIGTERM, ID.family has a child and a grandchild in sessions of their own.
It notes each start in ID.starts: its pid, and which of its earlier family was still alive.
"""

import http.server
import os
import signal
import sys
import threading

ID, PORT, FOLDER = sys.argv[1], int(sys.argv[2]), sys.argv[3]


def told(what):
    return os.path.exists(os.path.join(FOLDER, f"{ID}.{what}"))


def lives(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def note(file, text):
    with open(os.path.join(FOLDER, f"{ID}.{file}"), "a", encoding="ascii") as out:
        out.write(text + "\n")


def pids(file):
    try:
        with open(os.path.join(FOLDER, f"{ID}.{file}"), encoding="ascii") as lines:
            return [int(line) for line in lines]
    except FileNotFoundError:
        return []


def have_family():
    """Two generations that leave our session and do not listen to SIGTERM."""
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        grandchild = os.fork()
        if grandchild == 0:
            os.setsid()
            note("members", str(os.getpid()))
            os.write(writer, b".")
        else:
            note("members", str(os.getpid()))
            os.write(writer, b".")
        while True:
            signal.pause()
    while os.read(reader, 1) and len(pids("members")) % 2:
        pass


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if told("hang"):
            threading.Event().wait()
        body = str(os.getpid()).encode()
        self.send_response(503 if told("sick") else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


if told("stubborn"):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
survivors = [pid for pid in pids("members") if lives(pid)]
note("starts", f"{os.getpid()} {survivors}")
if told("crash"):
    print("told to crash", flush=True)
    sys.exit(7)
if told("family"):
    have_family()
server = http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Handler)
server.daemon_threads = True
print("listening", flush=True)
server.serve_forever()

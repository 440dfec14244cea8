"""GET /: how many jobs are done; POST /: takes the next one."""

import http.server
import os
import sqlite3


class Api(http.server.BaseHTTPRequestHandler):
    """Each request is a transaction of its own."""

    def do_GET(self):
        """Says how far it is."""
        with sqlite3.connect("jobs.sqlite") as database:
            done, total = database.execute("SELECT sum(done), count(*) FROM jobs").fetchone()
        self.answer(f"{done} of {total} done")

    def do_POST(self):
        """Takes one job."""
        with sqlite3.connect("jobs.sqlite") as database:
            row = database.execute(
                "UPDATE jobs SET done = 1"
                " WHERE id = (SELECT min(id) FROM jobs WHERE NOT done) RETURNING id"
            ).fetchone()
        self.answer(f"job {row[0]}" if row else "nothing to do")

    def answer(self, text):
        """Answers with a line."""
        body = f"{text}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        """Says nothing."""


http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Api).serve_forever()

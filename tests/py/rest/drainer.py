"""A web server behind a wrapper: `drainer.py PORT FOLDER`.

On SIGTERM it takes no new connections, finishes what it has begun, and ends with 0. /slow answers
when a line comes through the fifo FOLDER/gate, and says through the fifo FOLDER/begun that it
waits for that. It notes in FOLDER/heard each SIGTERM it gets.
"""

import http.server
import signal
import sys
import threading

PORT, FOLDER = int(sys.argv[1]), sys.argv[2]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"up"
        if self.path == "/slow":
            with open(f"{FOLDER}/begun", "w", encoding="ascii") as begun:
                begun.write("begun")
            with open(f"{FOLDER}/gate", encoding="ascii") as gate:
                body = gate.readline().encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = False  # server_close() waits for requests under way


def drain(number, frame):
    with open(f"{FOLDER}/heard", "a", encoding="ascii") as heard:
        heard.write("SIGTERM\n")
    threading.Thread(target=server.shutdown).start()


server = Server(("127.0.0.1", PORT), Handler)
signal.signal(signal.SIGTERM, drain)
server.serve_forever()
server.server_close()

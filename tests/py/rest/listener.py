"""A server whose listener comes about in many ways: `listener.py PORT HOW [reuse]`.

HOW: main, v6, dual: the process itself listens, on 127.0.0.1, ::1 or both; worker: a child does;
inherited: a child with the parent's socket, which the parent has closed; double: an orphan in a
session of its own; patient: tries again until the port is free; leaves: closes its listener on
SIGUSR1 and lives on. It prints `listening` once it does.
"""

import os
import signal
import socket
import sys
import threading

PORT, HOW = int(sys.argv[1]), sys.argv[2]
REUSE = "reuse" in sys.argv[3:]
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


def listener():
    family = socket.AF_INET6 if HOW in ("v6", "dual") else socket.AF_INET
    made = socket.socket(family)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if REUSE:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, HOW == "v6")
    made.bind(({"v6": "::1", "dual": "::"}.get(HOW, "127.0.0.1"), PORT))
    made.listen(16)
    print("listening", flush=True)
    return made


def serve(made):
    while True:
        try:
            client, _ = made.accept()
        except OSError:
            return
        with client:
            client.recv(4096)
            client.sendall(ANSWER)


def pause():
    while True:
        signal.pause()


def patiently():
    while True:
        try:
            return listener()
        except OSError:
            threading.Event().wait(0.05)


if HOW == "worker":
    if os.fork() == 0:
        serve(listener())
elif HOW == "inherited":
    shared = listener()
    if os.fork() == 0:
        serve(shared)
    shared.close()
elif HOW == "double":
    middle = os.fork()
    if middle == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
        serve(listener())
    os.waitpid(middle, 0)
elif HOW == "leaves":
    own = listener()
    signal.signal(signal.SIGUSR1, lambda *_: own.close())
    serve(own)
else:
    serve(patiently() if HOW == "patient" else listener())
pause()

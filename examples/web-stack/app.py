"""Counts its requests in Redis and asks PostgreSQL for the time; can do without for a while."""

import os

import psycopg
import redis

counter = redis.Redis.from_url(os.environ["REDIS"], socket_timeout=1)
database = None


def count():
    """How many requests there were, over all replicas."""
    try:
        return counter.incr("requests")
    except redis.RedisError:
        return "uncounted"


def time():
    """What PostgreSQL's clock says."""
    global database
    try:
        if database is None:
            database = psycopg.connect(os.environ["DATABASE"], connect_timeout=2, autocommit=True)
        return database.execute("SELECT now()").fetchone()[0]
    except psycopg.Error:
        database = None  # the next request connects anew
        return "unknown"


def application(environ, start_response):
    """The WSGI application: /health says that it answers, all else what it knows."""
    text = "ok"
    if environ["PATH_INFO"] != "/health":
        text = f"{os.environ['AZORA_ID']}: request {count()}, time {time()}"
    body = f"{text}\n".encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]

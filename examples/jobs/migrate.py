"""Brings the database to the state that the api expects, and ends with 0."""

import sqlite3

with sqlite3.connect("jobs.sqlite") as database:
    database.execute(
        "CREATE TABLE IF NOT EXISTS jobs (id INTEGER PRIMARY KEY, done INTEGER DEFAULT 0)"
    )
    database.executemany("INSERT OR IGNORE INTO jobs (id) VALUES (?)", [(n,) for n in range(1, 11)])
print("migrated", flush=True)

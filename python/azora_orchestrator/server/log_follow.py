"""GET /services/{id}/logs: what a process service wrote, once or as it comes.

Between its lines stand notes of ours, `[azora: 120 lines .. lost ..]`. A service may write the
same; a client that must know whose line it is gives `notes=TOKEN`, a word of its own that the
service does not know, and our notes then begin with `[azora TOKEN: `.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from starlette.responses import Response

from azora_orchestrator import _core
from azora_orchestrator._core import CoreError
from azora_orchestrator.errors import AzoraError
from azora_orchestrator.server.problems import TEXT_TYPE
from azora_orchestrator.server.streaming import StreamEnd

# A burst of output is read at most so often. An unfinished line is given by the second of two
# reads, so the last news is followed by a read that finds nothing.
_READ_SECONDS = 0.25
# What files do not show (a loss, an end, a folder that is made later) is looked for so often, in
# memory.
_LOOK_SECONDS = 1.0
# After a piece of so many bytes more is likely to be there already.
_PLENTY = 1024 * 1024


class News:
    """What a follower is told about its folders. Both are reset by the follower."""

    def __init__(self) -> None:
        self.changed = asyncio.Event()
        self.appeared = asyncio.Event()  # a file did


class FolderNews:
    """Tells followers that a folder of log files has changed, by one descriptor for all of them.

    Threads: one event loop.
    """

    def __init__(self) -> None:
        self._followers: dict[int, set[News]] = {}
        self._watch: _core.FolderWatch | None = None
        with contextlib.suppress(CoreError):  # this user has no inotify instance left
            self._watch = _core.FolderWatch()
            asyncio.get_running_loop().add_reader(self._watch.fileno(), self._read)

    def follow(self, folder: str, news: News) -> int | None:
        """Sets an event of `news` with every change.

        None: there is no such folder yet, or the kernel watches no more.
        """
        number = None
        with contextlib.suppress(CoreError):
            number = self._watch.watch(folder) if self._watch else None
        if number is not None:
            self._followers.setdefault(number, set()).add(news)
        return number

    def leave(self, number: int, news: News) -> None:
        """Ends follow()."""
        followers = self._followers.get(number, set())
        followers.discard(news)
        if not followers and self._followers.pop(number, None) is not None and self._watch:
            self._watch.unwatch(number)

    def is_watched(self, number: int) -> bool:
        """False: its folder was removed."""
        return number in self._followers

    def _read(self) -> None:
        for number, ended, appeared in self._watch.take() if self._watch else ():
            all_of_them = number == -1  # there was more news than the kernel keeps
            for one in list(self._followers) if all_of_them else [number]:
                for news in self._followers.get(one, ()):
                    news.changed.set()
                    if appeared:
                        news.appeared.set()
            if ended:
                self._followers.pop(number, None)


class LogAnswer(Response):
    """Plain text; with `follow` it goes on until the client leaves or the server shuts down."""

    def __init__(
        self, app: Any, service_id: str, *, lines: int, follow: bool, timestamps: bool, notes: str
    ) -> None:
        super().__init__()
        if follow:
            app.streams.check(app)
        self._app = app
        self._id = service_id
        self._lines = lines
        self._follow = follow
        self._timestamps = timestamps
        self._notes = notes

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Sends the last lines, then what follows."""
        follow = self._follow and not scope.get("azora.head")
        with self._app.streams.counted() if follow else contextlib.nullcontext():
            await self._answer(follow, receive, send)

    async def _answer(self, follow: bool, receive: Any, send: Any) -> None:
        app = self._app
        stream = await app.in_log_thread(
            app.core.follow_logs, self._id, self._lines, follow, self._timestamps, self._notes
        )
        first = await app.in_log_thread(stream.next)
        headers = [(b"content-type", TEXT_TYPE), (b"cache-control", b"no-store")]
        if not follow:
            headers.append((b"content-length", b"%d" % len(first)))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if not follow:
            await send({"type": "http.response.body", "body": first})
            return
        with StreamEnd(app, receive) as end:
            await end.write(send, first)
            await _Follower(app, stream).go_on(end, send)
            await end.finish(send)


class _Follower:
    """One client that follows a log."""

    def __init__(self, app: Any, stream: Any) -> None:
        self._app = app
        self._stream = stream
        self._folders: FolderNews = app.folder_news
        self._news = News()
        self._turn = asyncio.Lock()  # the stream takes one call at a time
        self._watched: dict[str, int] = {}
        self._settling = True  # one more read is due

    async def go_on(self, end: StreamEnd, send: Any) -> None:
        """Follows an unregistered service until its process is gone, to get its last output."""
        holding = asyncio.ensure_future(self._hold_new_files())
        try:
            while not self._stream.over and not self._app.core.closed() and not end.reached:
                self._watch()  # before the read: what comes after it is news
                self._news.changed.clear()
                text = await self._ask(self._stream.next)
                if text:
                    await end.write(send, text)
                if not self._stream.over and len(text) < _PLENTY:
                    await self._pause(end, busy=bool(text))
        finally:
            holding.cancel()
            for number in self._watched.values():
                self._folders.leave(number, self._news)

    async def _ask(self, call: Any) -> Any:
        async with self._turn:
            return await self._app.in_log_thread(call)

    async def _hold_new_files(self) -> None:
        """Opens each file that appears at once: it may be gone by the next read."""
        with contextlib.suppress(AzoraError, CoreError):  # the orchestrator was closed
            while True:
                await self._news.appeared.wait()
                self._news.appeared.clear()
                await self._ask(self._stream.hold_new)

    def _watch(self) -> bool:
        """Watches the folders that are there by now.

        False: one of them cannot be watched, or was not up to now, so it has to be read.
        """
        watched = True
        for folder in self._stream.folders():
            if self._folders.is_watched(self._watched.get(folder, -1)):
                continue
            watched = False
            number = self._folders.follow(folder, self._news)
            if number is not None:
                self._watched[folder] = number
        return watched

    async def _pause(self, end: StreamEnd, *, busy: bool) -> None:
        """Waits until there is something to read."""
        if busy or self._settling:
            self._settling = busy
            await end.wait(None, _READ_SECONDS)
            return
        news = asyncio.ensure_future(self._news.changed.wait())
        try:
            while not await end.wait(news, _LOOK_SECONDS):
                if not self._watch() or self._stream.changed() or self._app.core.closed():
                    break
        finally:
            news.cancel()
        self._settling = True

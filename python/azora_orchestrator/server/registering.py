"""POST /services/register without a thread: a descriptor tells the loop when it is done.

A thread that waits for the core costs more than the registration itself, and eight of them are
eight clients. Without threads, any number of clients can share the core's turns.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from azora_orchestrator.server.answers import Refusal, compact

PATH = "/services/register"


class Registering:
    """The registrations that one event loop waits for.

    Threads: its loop. Ownership: shares the core.
    """

    def __init__(self, core: Any) -> None:
        self.loop = asyncio.get_running_loop()
        self._core = core.registrations()
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self.loop.add_reader(self._core.fileno(), self._answered)

    async def register(self, body: bytes) -> bytes:
        """Registers the service in a body; returns the body of the answer.

        Raises:
            Refusal: The body is not valid text.
            CoreError: The core refuses it.
        """
        try:
            text = body.removeprefix(b"\xef\xbb\xbf").decode()
        except UnicodeDecodeError as error:
            raise Refusal(
                400, "invalid_json", f"the body is not UTF-8: byte {error.start} is wrong"
            ) from None
        ticket = self._core.begin(text)
        self._waiting[ticket] = done = self.loop.create_future()
        try:
            await done
        finally:
            self._waiting.pop(ticket, None)
        said = json.loads(text)
        message = f"Service {said.get('name', said['id'])} registered successfully"
        return compact({"success": True, "message": message})

    def _answered(self) -> None:
        for ticket, error in self._core.take():
            done = self._waiting.get(ticket)
            if done is None or done.done():
                continue  # the client has left
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(error)

"""Mail servers on loopback, good ones and strange ones, that write down what they are told."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

#: What a server does with a connection.
Talk = Callable[["Connection"], Awaitable[None]]


@dataclass
class Server:
    """One that listens.

    Attributes
    ----------
    port : int
    heard : list of str
        All lines that it was told, of all connections.
    connections : int
    """

    port: int = 0
    heard: list[str] = field(default_factory=list)
    connections: int = 0


@dataclass
class Connection:
    """Somebody who connected."""

    server: Server
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def say(self, *replies: str | bytes) -> None:
        """Say lines; bytes as they are."""
        for reply in replies:
            self.writer.write(reply if isinstance(reply, bytes) else f"{reply}\r\n".encode())
        await self.writer.drain()

    async def hear(self) -> str:
        """Return the next line, and write it down; empty when nobody is there any more."""
        line = (await self.reader.readline()).decode().rstrip("\r\n")
        if line:
            self.server.heard.append(line)
        return line

    async def hear_all(self) -> None:
        """Write down what comes, and say nothing."""
        while await self.hear():
            pass

    def reset(self) -> None:
        """Break the connection off."""
        self.writer.transport.abort()


@contextlib.asynccontextmanager
async def raw_server(talk: Talk, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[Server]:
    """Yield a server that does what ``talk`` says with every connection, and then closes it."""
    server = Server()
    tasks: set[asyncio.Task[Any]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())  # type: ignore[arg-type]
        server.connections += 1
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await talk(Connection(server, reader, writer))
        writer.close()
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await writer.wait_closed()

    listening = await asyncio.start_server(connected, host, port)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        await asyncio.sleep(0.02)  # what is on the wire still arrives
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await listening.wait_closed()


def replying(banner: str | bytes, **replies: str | bytes) -> Talk:
    """Return what says the banner, and to each verb what is given for it: ``EHLO="502 what?"``."""
    known = {"EHLO": "250 mx.example.com", "HELO": "250 mx.example.com", "QUIT": "221 bye"} | replies

    async def talk(connection: Connection) -> None:
        await connection.say(banner)
        while line := await connection.hear():
            verb = line.split()[0].upper()
            await connection.say(known.get(verb, "500 what?"))
            if verb == "QUIT":
                return

    return talk


class _Listener:
    """What aiosmtpd asks before it replies."""

    def __init__(self, server: Server) -> None:
        self.server = server

    async def handle_EHLO(  # noqa: N802
        self, _: SMTP, session: Session, __: Envelope, hostname: str, replies: list[str]
    ) -> list[str]:
        self.server.heard.append(f"EHLO {hostname}")
        session.host_name = hostname
        return replies

    async def handle_HELO(self, _: SMTP, session: Session, __: Envelope, hostname: str) -> str:  # noqa: N802
        self.server.heard.append(f"HELO {hostname}")
        session.host_name = hostname
        return "250 mx.example.com"

    async def handle_QUIT(self, *_: Any) -> str:  # noqa: N802
        self.server.heard.append("QUIT")
        return "221 Bye"

    async def handle_MAIL(self, *_: Any) -> str:  # noqa: N802
        self.server.heard.append("MAIL")
        return "250 OK"

    async def handle_RCPT(self, *_: Any) -> str:  # noqa: N802
        self.server.heard.append("RCPT")
        return "250 OK"

    async def handle_DATA(self, *_: Any) -> str:  # noqa: N802
        self.server.heard.append("DATA")
        return "250 OK"


@contextlib.asynccontextmanager
async def smtp_server(
    host: str = "127.0.0.1", *, size: int | None = 33_554_432, starttls: bool = True
) -> AsyncIterator[Server]:
    """Yield a real mail server."""
    server = Server()

    def connected() -> SMTP:
        server.connections += 1
        return SMTP(
            _Listener(server),
            data_size_limit=size,
            hostname="mx.example.com",
            tls_context=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if starttls else None,
        )

    listening = await asyncio.get_running_loop().create_server(connected, host, 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        await asyncio.sleep(0.02)
        listening.close()
        await listening.wait_closed()

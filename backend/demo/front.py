"""`python -m backend.demo.front`: HTTPS before the demonstration's backend, as a proxy stands before it in production.

Tills enrol over HTTPS alone; browsers stay with plain HTTP on this machine, as none knows the demonstration's authority.
"""

import asyncio
import contextlib
import os
import ssl
from typing import Final

from backend.demo.keys import SERVER, Keyring

CONNECTIONS_MAX: Final = 64
CHUNK_BYTES_MAX: Final = 65_536
IDLE_S_MAX: Final = 60
PREFIX: Final = "GREENPOINTS_FRONT_"


def variables(keyring: Keyring, *, port: int, backend_port: int) -> dict[str, str]:
    """What the program is told, by its environment."""
    told = {"PORT": port, "BACKEND_PORT": backend_port}
    files = {"CERT_FILE": keyring.certificate(SERVER), "KEY_FILE": keyring.tls_key(SERVER)}
    return {f"{PREFIX}{name}": str(value) for name, value in {**told, **files}.items()}


async def serve(port: int, backend_port: int, tls: ssl.SSLContext) -> None:
    """Until it is cancelled. Who comes when CONNECTIONS_MAX are open waits."""
    room = asyncio.Semaphore(CONNECTIONS_MAX)

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with room:
            with contextlib.suppress(OSError, TimeoutError):
                await _join(reader, writer, backend_port)
            writer.close()

    async with await asyncio.start_server(meet, "127.0.0.1", port, ssl=tls) as server:
        await server.serve_forever()


async def _join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, backend_port: int) -> None:
    """Ends, both ways, when either side has ended or rested for too long."""
    from_backend, to_backend = await asyncio.open_connection("127.0.0.1", backend_port)
    ways = [asyncio.create_task(_pass(reader, to_backend)), asyncio.create_task(_pass(from_backend, writer))]
    await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    for way in ways:
        way.cancel()
    to_backend.close()
    await asyncio.gather(*ways, return_exceptions=True)


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await asyncio.wait_for(reader.read(CHUNK_BYTES_MAX), IDLE_S_MAX):
        writer.write(chunk)
        await writer.drain()


def main() -> None:
    told = {name.removeprefix(PREFIX): value for name, value in os.environ.items() if name.startswith(PREFIX)}
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(told["CERT_FILE"], told["KEY_FILE"])
    asyncio.run(serve(int(told["PORT"]), int(told["BACKEND_PORT"]), tls))


if __name__ == "__main__":
    main()

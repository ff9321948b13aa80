"""`python -m backend.web`: the server, as the settings say."""

from granian import Granian
from granian.constants import Interfaces

from backend.settings import load


def main() -> None:
    settings = load()
    Granian(
        "backend.wsgi:app",
        address=settings.server_host,
        port=settings.server_port,
        interface=Interfaces.WSGI,
        workers=settings.server_workers,
        blocking_threads=settings.server_threads,
        websockets=False,
    ).serve()


if __name__ == "__main__":
    main()

"""Dynamic security as a broker of a test begins with it: the shipped file, and devices that are admitted already."""

import json
from importlib.resources import files
from pathlib import Path

from firmware_bridge.dynamic_security import admission

SHIPPED = files("firmware_bridge") / "dynamic-security.json"


def access_file(folder: Path, *devices: str) -> Path:
    doc = json.loads(SHIPPED.read_text())
    for device in devices:
        role, client = ({k: v for k, v in command.items() if k != "command"} for command in admission(device))
        doc["roles"].append(role)
        doc["clients"].append(client)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "dynamic-security.json"
    path.write_text(json.dumps(doc))
    return path


def admitted(path: Path) -> set[str]:
    """Devices in the file as the broker has rewritten it; none while it is amid that."""
    try:
        doc = json.loads(path.read_text())
    except ValueError:
        return set()
    return {client["username"] for client in doc["clients"]} - {"bridge"}

"""What bridges are told of a device that comes or goes: their broker lets it in, or ends its connection at once."""

import orjson

TOPIC = "bridge/v1/access"
EXPIRY_S = 86_400
"""A bridge that was cut off for longer compares every device when it is back, so older changes need not be kept."""


def access_change(device: str, *, admitted: bool) -> bytes:
    return orjson.dumps({"v": 1, "dev": device, "admitted": admitted})

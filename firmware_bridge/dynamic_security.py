"""What Mosquitto's dynamic security plugin is told of a till: a role of its own, for its roles know no %u before 2.1.

`dynamic-security.json` beside this module is where a broker begins: everything is denied, and only bridges are known.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from firmware_bridge.wire import topics

Command = dict[str, object]

CONTROL: Final = "$CONTROL/dynamic-security/v1"
RESPONSE: Final = f"{CONTROL}/response"
ROLE_PREFIX: Final = "till-"
LISTING: Final[tuple[Command, ...]] = (
    {"command": "listClients", "verbose": False, "count": -1, "offset": 0},
    {"command": "listRoles", "verbose": False, "count": -1, "offset": 0},
)
# What makes a repeated command say no although all is as it should be.
_HARMLESS: Final = ("already exists", "not found")


@dataclass(frozen=True, slots=True)
class Roster:
    """Devices as the broker has them. `broken`: a client without its role, or the other way round."""

    admitted: frozenset[str]
    broken: frozenset[str]


def admission(device: str) -> list[Command]:
    """Its own topics and the bridges' states, by the CN of its certificate; needs no password."""
    allowed = (
        ("publishClientSend", f"{topics.ROOT}/{device}/up/#"),
        ("publishClientReceive", topics.down_filter(device)),
        ("subscribePattern", topics.down_filter(device)),
        ("publishClientReceive", topics.BRIDGE_STATES_FILTER),
        ("subscribePattern", topics.BRIDGE_STATES_FILTER),
    )
    acls = [{"acltype": kind, "topic": topic, "priority": 0, "allow": True} for kind, topic in allowed]
    role = ROLE_PREFIX + device
    return [
        {"command": "createRole", "rolename": role, "acls": acls},
        {"command": "createClient", "username": device, "roles": [{"rolename": role}]},
    ]


def expulsion(device: str) -> list[Command]:
    """Ends its connection at once; `disableClient` would let a certificate's bearer in again."""
    return [
        {"command": "deleteClient", "username": device},
        {"command": "deleteRole", "rolename": ROLE_PREFIX + device},
    ]


def roster(clients: Iterable[str], roles: Iterable[str]) -> Roster:
    """Tills are told from other users of the broker by their role's name."""
    of_tills = {role.removeprefix(ROLE_PREFIX) for role in roles if role.startswith(ROLE_PREFIX)}
    users = set(clients)
    return Roster(frozenset(of_tills & users), frozenset(of_tills - users))


def corrections(known: Roster, active: Iterable[str]) -> list[list[Command]]:
    """What brings the broker in step with the backend, a list of commands a device: expulsions first."""
    wanted = set(active)
    expelled = sorted((known.admitted - wanted) | known.broken)
    admitted = sorted(wanted - known.admitted)
    return [expulsion(device) for device in expelled] + [admission(device) for device in admitted]


def faults(answers: Iterable[dict[str, object]]) -> list[str]:
    """What the broker would not do, apart from what was done before."""
    said = [(str(answer.get("command")), str(answer["error"])) for answer in answers if "error" in answer]
    return [f"{command}: {error}" for command, error in said if not error.endswith(_HARMLESS)]

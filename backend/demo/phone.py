"""Residents' phones: they ask the backend over HTTP, as the mini-program does."""

from dataclasses import dataclass
from typing import Any

import httpx

from backend.demo.city import CITY, Goods
from backend.kernel.ids import new_id

TIMEOUT_S = 20.0
API = "/api/resident/v1"


@dataclass(frozen=True, slots=True)
class Resident:
    """Who is signed in on a phone. `device` is what the backend calls the phone."""

    name: str
    resident: str
    token: str

    @property
    def device(self) -> str:
        return f"p-{self.resident}"


class Phones:
    """The phones of all residents. Raises httpx.HTTPError where the backend refuses or does not answer."""

    def __init__(self, backend_url: str) -> None:
        self._http = httpx.Client(base_url=backend_url, timeout=TIMEOUT_S, trust_env=False)

    def sign_in(self, name: str, run_no: int) -> Resident:
        """A resident of this run alone: caps are unused, so every run shows the same awards."""
        found = self._asked(
            "POST", "/sessions", None, json={"way": "development", "code": f"dev:{name}-{run_no}", "city": CITY}
        )
        return Resident(name, found["resident"], found["token"])

    def member_code(self, resident: Resident) -> str:
        """What the phone shows at a till: good for one basket within two minutes."""
        return str(self._asked("POST", "/member-codes", resident)["code"])

    def scan(self, resident: Resident, goods: Goods) -> dict[str, Any]:
        body = {"scan_id": new_id(), "code": goods.code, "symbology": goods.symbology}
        return self._asked("POST", "/scans", resident, json=body)

    def points(self, resident: Resident) -> int:
        units = self._asked("GET", "/balances", resident)["balances"]
        return next(int(each["amount"]) for each in units if each["unit"] == "points")

    def redeem(self, resident: Resident, entry: str) -> dict[str, Any]:
        """Holds and confirms, as a resident does in two taps; what became of it."""
        held = self._asked("POST", "/redemptions", resident, json={"redemption_id": new_id(), "entry": entry})
        return self._asked("POST", f"/redemptions/{held['redemption']}/confirm", resident, json={})

    def close(self) -> None:
        self._http.close()

    def _asked(self, method: str, path: str, resident: Resident | None, **options: Any) -> dict[str, Any]:
        headers = {} if resident is None else {"Authorization": f"Bearer {resident.token}"}
        response = self._http.request(method, API + path, headers=headers, **options)
        response.raise_for_status()
        answered: dict[str, Any] = response.json()
        return answered

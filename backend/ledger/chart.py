"""The chart of accounts: an address says whose it is and ends with its unit."""

UNBOUNDED = None


def treasury(unit: str) -> str:
    """Where a city's value begins. The only account without a floor: minus its balance is what the city has granted."""
    return f"treasury:{unit}"


def budget(policy: str, unit: str) -> str:
    """What a policy may still award; floor 0, so a budget cannot be overspent."""
    return f"budget:{policy}:{unit}"


def wallet(resident: str, unit: str) -> str:
    return f"resident:{resident}:{unit}"


def unit_of(account: str) -> str:
    return account.rpartition(":")[2]


def floor_of(account: str) -> int | None:
    return UNBOUNDED if account.startswith("treasury:") else 0

"""The chart of accounts: an address says whose it is and ends with its unit."""

UNBOUNDED = None


def treasury(unit: str) -> str:
    """Where a city's value begins. The only account without a floor: minus its balance is what the city has granted."""
    return f"treasury:{unit}"


def budget(policy: str, unit: str, shards: int = 1) -> tuple[str, ...]:
    """What a policy may still award, spread over `shards` accounts; floor 0, so that none can be overspent."""
    return (f"budget:{policy}:{unit}", *(f"budget:{policy}:{shard}:{unit}" for shard in range(1, shards)))


def wallet(resident: str, unit: str) -> str:
    return f"resident:{resident}:{unit}"


def unit_of(account: str) -> str:
    return account.rpartition(":")[2]


def floor_of(account: str) -> int | None:
    return UNBOUNDED if account.startswith("treasury:") else 0

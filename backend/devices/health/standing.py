"""Whether a till is there. Pure."""

from datetime import datetime, timedelta

from backend.devices.health.model import Condition, Health, Presence, Standing

EVERY_S = 60
"""How often a till speaks that did not say how often."""
MISSED = 3


def standing(presence: Presence | None, health: Health | None, now: datetime) -> Standing:
    """A death outranks every later word of health: that was under way when the till went, or its session is over."""
    if presence is not None and not presence.online:
        return Standing(Condition.OFFLINE, presence.since)
    heard = [at for at in (presence and presence.since, health and health.heard_at) if at is not None]
    if not heard:
        return Standing(Condition.NEVER, None)
    every_s = EVERY_S if health is None else health.every_s
    if now - max(heard) > timedelta(seconds=MISSED * every_s):
        return Standing(Condition.SILENT, max(heard))
    return Standing(Condition.ONLINE, min(heard) if presence is None else presence.since)

"""Whether a release may be installed here. Pure."""

from dataclasses import dataclass

from firmware_bridge.wire.fields import text
from firmware_bridge.wire.jobs import HARDWARE, RELEASE
from scanner.errors import TillRefusal

RELEASE_PARTS = 4


class UpdateRefused(TillRefusal):
    """This update is given up; whatever runs goes on."""


class TargetUnusable(UpdateRefused):
    code = "target_unusable"
    text_zh = "更新包缺少版本或硬件说明（{field}），已拒绝。"
    text_en = "The update does not say what it is for ({field}); it was refused."


class WrongHardware(UpdateRefused):
    code = "wrong_hardware"
    text_zh = "更新包适用于 {wanted}，本机为 {hardware}，已拒绝。"
    text_en = "The update is for {wanted} and this till is {hardware}; it was refused."


class NotNewer(UpdateRefused):
    code = "not_newer"
    text_zh = "更新包版本 {version} 不高于本机的 {running}，已拒绝。"
    text_en = "The update's version {version} is not above {running}; it was refused."


class TooOldForThis(UpdateRefused):
    code = "too_old"
    text_zh = "此更新须从 {min_version} 或更高版本升级，本机为 {running}，已拒绝。"
    text_en = "The update needs {min_version} or newer and this till runs {running}; it was refused."


@dataclass(frozen=True, slots=True)
class Compatibility:
    """What the signed metadata of a target say: `min_version` is the oldest release that it may follow."""

    version: str
    hardware: tuple[str, ...]
    min_version: str


def compatibility(custom: object) -> Compatibility:
    """Raises TargetUnusable."""
    fields = custom if isinstance(custom, dict) else {}
    hardware = fields.get("hardware")
    if not isinstance(hardware, list) or not hardware or not all(_is_hardware(name) for name in hardware):
        raise TargetUnusable(field="hardware")
    for name in ("version", "min_version"):
        if not isinstance(fields.get(name), str) or RELEASE.fullmatch(fields[name]) is None:
            raise TargetUnusable(field=name)
    return Compatibility(text(fields, "version", RELEASE), tuple(hardware), text(fields, "min_version", RELEASE))


def check(found: Compatibility, *, running: str, hardware: str) -> None:
    """Raises WrongHardware, NotNewer, TooOldForThis."""
    if hardware not in found.hardware:
        raise WrongHardware(wanted="、".join(found.hardware), hardware=hardware)
    if _order(found.version) <= _order(running):
        raise NotNewer(version=found.version, running=running)
    if _order(running) < _order(found.min_version):
        raise TooOldForThis(min_version=found.min_version, running=running)


def _is_hardware(name: object) -> bool:
    return isinstance(name, str) and HARDWARE.fullmatch(name) is not None


def _order(version: str) -> list[int]:
    """1.2 comes where 1.2.0.0 does; what is no release comes before all that are."""
    if RELEASE.fullmatch(version) is None:
        return []
    parts = [int(part) for part in version.split(".")]
    return parts + [0] * (RELEASE_PARTS - len(parts))

"""Whether the broker can be reached, takes what this till says, and which bridges it knows."""

import queue
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

import orjson

from firmware_bridge.wire import topics
from firmware_bridge.wire.bridge_state import BridgeState, decode_bridge_state
from firmware_bridge.wire.errors import WireError
from scanner.doctor.model import Advice, Finding, ok, warn, wrong
from scanner.settings import Protocol, Settings
from scanner.transport import Acked, Arrived, Connected, Disconnected, Reason, Subscribed, Transport, TransportEvent

ANSWER_WAIT_S: Final = 5.0
RETAINED_WAIT_S: Final = 1.0
"""The broker sends what it has retained at once; more than this and there is none."""
_ACCESS = Advice(
    "请主管部门确认本机已登记且未停用。", "Ask the city's office whether this till is enrolled and not revoked."
)


@dataclass(slots=True)
class Visit:
    """What came of one connection."""

    failure: OSError | None = None
    hung_up: str | None = None
    protocol: Protocol = Protocol.V5
    connected: bool = False
    granted: bool | None = None
    publish_reason: int | None = None
    bridges: dict[str, BridgeState] = field(default_factory=dict)


def examine(settings: Settings) -> Iterator[Finding]:
    """Each broker; what the till may say there is asked of the first that answers."""
    answered = False
    for host, port in ((settings.broker_host, settings.broker_port), *settings.brokers_more):
        visit = call_on(replace(settings, broker_host=host, broker_port=port))
        yield judge_connection(visit, f"{host}:{port}")
        if visit.connected and not answered:
            answered = True
            yield judge_access(visit)
            yield judge_bridges(visit.bridges)


def call_on(settings: Settings) -> Visit:
    """MQTT 5 first, which can say what it refuses; then 3.1.1, where the settings allow it."""
    first = Protocol.V311 if settings.protocol is Protocol.V311 else Protocol.V5
    visit = _visit(settings, first)
    if not visit.connected and visit.failure is None and settings.protocol is Protocol.AUTO:
        older = _visit(settings, Protocol.V311)
        visit = older if older.connected else visit
    return visit


def _visit(settings: Settings, protocol: Protocol) -> Visit:
    events: queue.SimpleQueue[TransportEvent] = queue.SimpleQueue()
    # Under its own client id the running till would be thrown out.
    guest = replace(settings, device_id=f"{settings.device_id}-doctor")
    transport = Transport(guest, protocol, 1, None, events.put)
    visit = Visit(protocol=protocol)
    try:
        transport.open()
        _converse(settings.device_id, transport, events, visit)
    except OSError as failure:
        visit.failure = failure
    finally:
        transport.close()
    return visit


def _converse(device: str, transport: Transport, events: queue.SimpleQueue[TransportEvent], visit: Visit) -> None:
    end_s = time.monotonic() + ANSWER_WAIT_S
    while (left_s := end_s - time.monotonic()) > 0 and visit.hung_up is None:
        try:
            event = events.get(timeout=left_s)
        except queue.Empty:
            return
        _take(event, device, transport, visit)
        if visit.granted is not None and visit.publish_reason is not None:
            end_s = min(end_s, time.monotonic() + RETAINED_WAIT_S)


def _take(event: TransportEvent, device: str, transport: Transport, visit: Visit) -> None:
    match event:
        case Connected():
            visit.connected = True
            transport.subscribe([topics.down_filter(device), topics.BRIDGE_STATES_FILTER])
            # An answer to nobody: kept as the latest of its kind, and nothing counts it.
            transport.publish(topics.res(device), orjson.dumps({"v": 1, "cmd": "doctor"}))
        case Subscribed():
            visit.granted = event.granted
        case Acked():
            visit.publish_reason = event.reason
        case Arrived():
            _hear(event, visit)
        case Disconnected():
            visit.hung_up = event.reason


def _hear(event: Arrived, visit: Visit) -> None:
    try:
        visit.bridges[topics.bridge_of(event.topic)] = decode_bridge_state(event.payload)
    except WireError:
        return


def judge_connection(visit: Visit, address: str) -> Finding:
    if visit.connected and visit.hung_up is None:
        version = "5" if visit.protocol is Protocol.V5 else "3.1.1"
        return ok(
            "broker",
            f"已连接消息服务器 {address}（MQTT {version}）。",
            f"The broker {address} answers by MQTT {version}.",
        )
    if visit.failure is not None:
        return _unreachable(visit.failure, address)
    reason = visit.hung_up or "no answer"
    advice = Advice(
        "证书过期、被吊销或不是此 CA 签发时，服务器会直接挂断；请主管部门查看其日志。",
        "It hangs up on a certificate that is expired, revoked or of another authority; ask for its log.",
    )
    return wrong(
        "broker", f"消息服务器 {address} 挂断了连接：{reason}。", f"The broker {address} hung up: {reason}.", advice
    )


def _unreachable(failure: OSError, address: str) -> Finding:
    if isinstance(failure, ssl.SSLCertVerificationError):
        reason = failure.verify_message
        advice = Advice(
            "核对 BROKER_HOST 与服务器证书、BROKER_CA_PATH；“not yet valid”多半是本机时钟错了。",
            "Compare BROKER_HOST and BROKER_CA_PATH with its certificate; 'not yet valid' is mostly a wrong clock.",
        )
        return wrong(
            "broker",
            f"不能信任消息服务器 {address}：{reason}。",
            f"The broker {address} is not trusted: {reason}.",
            advice,
        )
    reason = failure.strerror or type(failure).__name__
    advice = Advice(
        "检查网线或无线网络、地址和端口；记录保存在本机，恢复后自动上传。",
        "Check network, address and port; what is read waits here and is sent later.",
    )
    return wrong(
        "broker", f"连不上消息服务器 {address}：{reason}。", f"The broker {address} is out of reach: {reason}.", advice
    )


def judge_access(visit: Visit) -> Finding:
    if visit.granted is False or visit.publish_reason == Reason.NOT_AUTHORIZED:
        text_zh, text_en = "消息服务器不接受本机的消息。", "The broker refuses what this till says."
        return wrong("access", text_zh, text_en, _ACCESS)
    if visit.publish_reason == Reason.NO_MATCHING_SUBSCRIBERS:
        advice = Advice("请主管部门启动网桥。", "Ask the city's office to start a bridge.")
        return warn("access", "消息服务器上没有网桥接收消息。", "No bridge takes messages from the broker.", advice)
    if visit.publish_reason is None:
        advice = Advice("稍后再试；持续如此请联系主管部门。", "Try again later; if it stays so, ask the city's office.")
        return warn("access", "消息服务器没有确认消息。", "The broker did not acknowledge a message.", advice)
    if visit.protocol is Protocol.V311:
        return ok("access", "消息已确认（3.1.1 看不出拒收）。", "A message was acknowledged (3.1.1 cannot say no).")
    return ok("access", "消息服务器接受本机的消息。", "The broker takes what this till says.")


def judge_bridges(bridges: dict[str, BridgeState]) -> Finding:
    up = sorted(name for name, state in bridges.items() if state.online)
    if up:
        return ok("bridges", f"网桥在线：{', '.join(up)}。", f"Bridges online: {', '.join(up)}.")
    advice = Advice(
        "请主管部门启动网桥；记录保存在本机。", "Ask the city's office to start a bridge; what is read waits here."
    )
    if bridges:
        return warn("bridges", "所有网桥离线。", "Every bridge is offline.", advice)
    return warn("bridges", "没有网桥的消息。", "No word of any bridge.", advice)

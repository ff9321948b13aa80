"""The README's settings tables, made from the code: `python -m tests.architecture.settings_tables` writes them anew.

The backend says what each of its settings is for. Of the bridge's and the till's the code says name and default; what they
are for stands here, and a setting without words is a KeyError.
"""

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from backend.settings import described
from firmware_bridge import settings as bridge
from scanner import settings as till
from scanner.environment import Choice, Variables
from tests.architecture.project import ROOT

README = ROOT / "README.md"
REQUIRED = "必填 required"
BRIDGE_WORDS = {
    "NAME": ("网桥名称，出现在它的状态主题中", "name of this bridge, in its topic of state"),
    "BROKER_HOST": ("消息服务器地址", "the broker"),
    "BROKER_PORT": ("消息服务器端口", "its port"),
    "BROKER_CA_FILE": ("验证消息服务器的 CA 证书；非本机必填", "authority of the broker; required unless on loopback"),
    "BROKER_CERT_FILE": ("网桥证书，CN 为 bridge", "the bridge's certificate, CN bridge"),
    "BROKER_KEY_FILE": ("网桥证书的私钥；与 CA、证书同时给出", "its private key; the three go together"),
    "BROKER_USERNAME": ("用户名，供以口令认证的消息服务器", "for brokers that ask for a password"),
    "BROKER_PASSWORD_FILE": ("口令文件", "file of the password"),
    "BROKER_ACCESS": (
        "谁掌管消息服务器的访问规则：dynamic-security（网桥，用 Mosquitto 的插件）或 none（自行维护）",
        "who keeps the broker's rules: dynamic-security, this bridge by Mosquitto's plugin; none, whoever runs it",
    ),
    "PROTOCOL": ("auto 先用 MQTT 5，不行再用 3.1.1；或 5、311", "auto tries MQTT 5, then 3.1.1; or 5, 311"),
    "SHARE_GROUP": (
        "多个网桥分担消息时的组名，16 字符以上（规则为 ACL 文件时须保密）；未设置时为唯一网桥",
        "group of bridges that share the messages, at least 16 characters, secret under an ACL file; none: the only bridge",
    ),
    "SESSION_EXPIRY_S": ("断线后会话保留秒数（唯一网桥）", "how long the broker keeps the session of an only bridge"),
    "RECEIVE_MAXIMUM": ("未确认消息的窗口（MQTT 5）", "window of unacknowledged messages (MQTT 5)"),
    "INBOX_MESSAGES": ("内存中等待转发的消息上限", "messages that wait in memory, at most"),
    "BATCH_READS": ("一次转发最多的读码数", "reads in one request, at most"),
    "BATCH_WAIT_MS": ("凑一批最多等待的毫秒数", "how long a batch is gathered"),
    "BACKEND_URL": ("后端地址；非本机须为 https", "the backend; https unless on loopback"),
    "BACKEND_CA_FILE": ("验证后端的 CA 证书；默认用系统的", "authority of the backend; the system's by default"),
    "BACKEND_TIMEOUT_S": ("等待后端应答的秒数", "how long an answer is waited for"),
    "TOKEN": ("服务令牌；与 TOKEN_FILE 二选一", "bearer token; this or TOKEN_FILE"),
    "TOKEN_FILE": ("服务令牌文件（推荐）", "file of the bearer token (better)"),
    "RETRY_WAIT_S_MAX": ("重试间隔的上限秒数", "longest wait between retries"),
    "DOWNLINK_POLL_S": ("查询下发消息的间隔秒数", "how often messages for tills are asked for"),
    "DRAIN_S": ("停止时处理完手头消息的秒数", "time to finish what is in hand when stopped"),
    "HEALTH_PORT": (
        "本机端口：/health、/ready、/metrics；0 为任选",
        "loopback port of /health, /ready, /metrics; 0: any free one",
    ),
    "CHAOS_POINT": ("故障试验用，仅 ENV=test", "for fault trials, only where ENV=test"),
    "CHAOS_PASSES": ("故障试验用，仅 ENV=test", "for fault trials, only where ENV=test"),
}
TILL_WORDS = {
    "IDENTITY_PATH": (
        "greenpoints-till enrol 存放密钥与证书的目录；设置后，下列编号、密钥、证书各项由它给出",
        "folder that greenpoints-till enrol made; it then gives id, keys and certificate below",
    ),
    "RENEWAL_CHECK_S": ("多久检查一次证书是否该续期", "how often the certificate's age is looked at"),
    "DEVICE_ID": ("设备编号，与证书 CN 一致", "id of the till, the CN of its certificate"),
    "KEY_PATH": ("签名私钥 Ed25519（PEM），只许本人可读", "private signing key Ed25519 (PEM), mode 600"),
    "KEY_ID": ("签名密钥编号，登记时所用", "name of that key, as enrolled"),
    "CITY_KEYS_PATH": ("验证会员码的城市公钥，每行“编号 base64”", "public keys of member codes, lines `id base64`"),
    "RECEIPT_KEY_PATH": ("验证回执的后端公钥，每行 base64", "public keys of receipts, lines of base64"),
    "BROKER_HOST": ("消息服务器地址", "the broker"),
    "BROKER_PORT": ("消息服务器端口", "its port"),
    "BROKERS_MORE": (
        "其余消息服务器 host:port，以逗号分隔；前一个连不上时依次尝试",
        "further brokers, host:port parted by commas, tried in turn where one does not answer",
    ),
    "BROKER_CA_PATH": ("验证消息服务器的 CA 证书；非本机必填", "authority of the broker; required unless on loopback"),
    "BROKER_CERT_PATH": ("终端证书", "the till's certificate"),
    "BROKER_TLS_KEY_PATH": ("终端证书的私钥；三者同时给出", "its private key; the three go together"),
    "PROTOCOL": ("auto 先用 MQTT 5，不行再用 3.1.1；或 5、311", "auto tries MQTT 5, then 3.1.1; or 5, 311"),
    "KEEPALIVE_S": ("MQTT 心跳秒数", "MQTT keep alive"),
    "RECONNECT_MAX_S": ("重连间隔的上限秒数", "longest wait before connecting again"),
    "BACKEND_URL": (
        "后端地址，用于获取离线商品快照；非本机须为 https；未设置时读码不提示预计积分",
        "the backend, for the offline snapshot; https unless on loopback; none: no likely points at a read",
    ),
    "BACKEND_CA_PATH": ("验证后端的 CA 证书；默认用系统的", "authority of the backend; the system's by default"),
    "SNAPSHOT_PATH": (
        "离线商品快照的 SQLite 文件，默认在待上传记录旁",
        "SQLite file of the snapshot; beside the outbox by default",
    ),
    "SNAPSHOT_INTERVAL_S": ("更新快照的间隔秒数", "how often the snapshot is renewed"),
    "SOURCE": ("读码来源，见上文", "where reads come from, see above"),
    "OUTBOX_PATH": ("待上传记录的 SQLite 文件", "SQLite file of what waits to be sent"),
    "OUTBOX_BASKETS_MAX": ("最多存几单；满则停止扫码", "baskets it holds; full, reading stops"),
    "OUTBOX_SIZE_MAX_BYTES": ("文件大小上限", "its size, at most"),
    "BASKET_TIMEOUT_S": ("多少秒无读码即结单", "a basket closes after so long without a read"),
    "FINISH_CODE": ("结单码的内容", "the code that finishes a basket"),
    "VOID_CODE": ("作废上一单的码", "the code that voids the last basket"),
    "CASHIER_PREFIX": (
        "收银员工牌码的开头，其后为工号",
        "what a cashier's badge code begins with; the rest names them",
    ),
    "FEED_TOKEN_PATH": (
        "收银系统令牌文件，16 字符以上；设了才接收 `/feed/lines`",
        "token file of the shop's till, 16 characters or more; lines are taken at `/feed/lines` only with one",
    ),
    "FEED_SERIAL": (
        "收银系统的串口，如 `/dev/ttyUSB1@9600`，每行一个 JSON",
        "serial line on which the shop's till writes JSON lines",
    ),
    "SLIP_PRINTER_PATH": (
        "打印领取码的 ESC/POS 小票打印机，如 `/dev/usb/lp0`",
        "ESC/POS printer of claim slips, such as `/dev/usb/lp0`",
    ),
    "PAGE_PORT": (
        "收银台页面的本机端口；0 为任选，不设则不开",
        "loopback port of the cashier's page; 0: any free one; not set: no page",
    ),
    "CLOCK_SOURCE": (
        "时钟由谁校准：auto、ntp、rtc、srv、none",
        "who sets the clock: auto, ntp, rtc, srv (by receipts), none",
    ),
    "CAMERA_FRAMES_PER_S_MAX": ("摄像头每秒帧数上限", "frames a second, at most"),
    "WEDGE_GAP_MS": ("扫码枪一个码内的最长停顿", "longest pause within one code of a hand-held reader"),
    "GREEN_PIN": ("绿灯的 GPIO（BCM 编号）", "GPIO of the green light (BCM)"),
    "AMBER_PIN": ("黄灯", "amber light"),
    "RED_PIN": ("红灯", "red light"),
    "BUZZER_PIN": ("蜂鸣器", "buzzer"),
    "BUTTON_PIN": ("结单键", "button that finishes a basket"),
    "SLOT": ("正在运行的程序目录 a 或 b，由启动器给出", "slot that runs, a or b; the launcher says it"),
    "SLOTS_PATH": (
        "两个程序目录所在的文件夹；与 UPDATE_ROOT_PATH、UPDATE_URL 同时给出",
        "folder of the slots; goes with the next two",
    ),
    "UPDATE_ROOT_PATH": (
        "更新源的第一个 root.json，随终端出厂",
        "first root.json of the repository, comes with the till",
    ),
    "UPDATE_URL": ("更新源地址；未设置则不自动更新", "the update repository; none: no updates"),
    "UPDATE_CA_PATH": ("验证更新源的 CA 证书；默认用系统的", "authority of its server; the system's by default"),
    "HARDWARE": ("本机硬件代号，须在更新包允许之列", "what this till is; an update names what it is for"),
    "UPDATE_WINDOW": (
        "允许更新的时段（北京时间）；首尾相同为全天",
        "when it may update, time in China; the same twice: always",
    ),
    "UPDATE_IDLE_S": ("启用新版本前须空闲的秒数", "quiet seconds before a trial begins"),
    "UPDATE_TRIAL_S": ("试运行须在多少秒内确认正常", "a start on trial must be healthy within"),
    "EXIT_WHEN_DONE": ("来源读完且全部收到回执后退出", "end with the source, once all is receipted"),
    "RESEND_MIN_S": ("首次重发的间隔", "first wait before sending again"),
    "RESEND_MAX_S": ("重发间隔的上限", "longest wait before sending again"),
    "BRIDGE_UP_JITTER_S": ("网桥恢复后随机错开的秒数", "random delay once a bridge is back, spreads a fleet"),
    "REFUSED_GRACE_S": (
        "消息服务器连续拒绝本机多少秒后暂停扫码（已存记录保留，获准后自动恢复）",
        "how long a broker may refuse the till before reading stops (what is recorded is kept; it goes on once admitted)",
    ),
    "BRIDGE_GRACE_S": ("连上后等待网桥消息的秒数", "how long the first word of a bridge is waited for"),
    "HEALTH_INTERVAL_S": ("上报运行状况的间隔", "how often health is reported"),
    "TWIN_TRIAL_S": ("远程设置的试用秒数", "how long settings from afar are on trial"),
    "CHAOS_POINT": ("故障试验用，仅 ENV=test", "for fault trials, only where ENV=test"),
    "CHAOS_HIT": ("故障试验用，仅 ENV=test", "for fault trials, only where ENV=test"),
}


class Row(NamedTuple):
    variable: str
    default: str
    zh: str
    en: str


class Noted(Variables):
    """What the till asks its environment for, and with which default, instead of an answer."""

    def __init__(self) -> None:
        super().__init__(till.PREFIX)
        self.defaults: dict[str, str] = {}

    def text(self, name: str, default: str | None = None, **_form: str) -> str:
        self.defaults[name] = REQUIRED if default is None else default
        return ""

    def optional_path(self, name: str) -> Path | None:
        self.defaults[name] = ""
        return None

    def integer(self, name: str, default: int, *_bounds: int) -> int:
        self.defaults[name] = str(default)
        return default

    def optional_integer(self, name: str, *_bounds: int) -> int | None:
        self.defaults[name] = ""
        return None

    def number(self, name: str, default: float, *_bounds: float) -> float:
        self.defaults[name] = f"{default:g}"
        return default

    def truth(self, name: str) -> bool:
        self.defaults[name] = "false"
        return False

    def choice(self, name: str, _kind: type[Choice], default: Choice) -> Choice:
        self.defaults[name] = default.value
        return default

    def optional_choice(self, name: str, _kind: type[Choice]) -> Choice | None:
        self.defaults[name] = ""
        return None


def backend_rows() -> list[Row]:
    return [Row(how.variable, default or REQUIRED, how.zh, how.en) for how, default in described()]


def bridge_rows() -> list[Row]:
    defaults = {field.name.upper(): field.default for field in fields(bridge.Settings)}
    return _rows(bridge.PREFIX, {name: _shown(default) for name, default in defaults.items()}, BRIDGE_WORDS)


def till_rows() -> list[Row]:
    """Every function of the module that reads variables is asked."""
    noted = Noted()
    for function in vars(till).values():
        if inspect.isfunction(function) and list(inspect.signature(function).parameters) == ["variables"]:
            function(noted)
    return _rows(till.PREFIX, noted.defaults, TILL_WORDS)


def tables() -> Iterator[tuple[str, str]]:
    """Each program's name and its table in Markdown."""
    for program, rows in (("backend", backend_rows()), ("bridge", bridge_rows()), ("till", till_rows())):
        lines = [
            f"| `{row.variable}` | {_default(row.default)} | {_plain(row.zh)} / {_plain(row.en)} |" for row in rows
        ]
        head = ["| 变量 variable | 默认 default | 含义 meaning |", "|---|---|---|"]
        yield program, "\n".join([*head, *lines])


def renewed(readme: str) -> str:
    """`readme` with its tables as the code has them. Raises ValueError where a marker is missing."""
    for program, table in tables():
        begin, end = f"<!-- settings {program} -->", f"<!-- end of settings {program} -->"
        start, stop = readme.index(begin) + len(begin), readme.index(end)
        readme = f"{readme[:start]}\n{table}\n{readme[stop:]}"
    return readme


def _rows(prefix: str, defaults: Mapping[str, str], words: Mapping[str, tuple[str, str]]) -> list[Row]:
    unused = words.keys() - defaults.keys()
    if unused:
        raise KeyError(f"words for no setting: {sorted(unused)}")
    return [Row(prefix + name, default, *words[name]) for name, default in defaults.items()]


def _shown(default: object) -> str:
    if default is MISSING:
        return REQUIRED
    if isinstance(default, StrEnum):
        return default.value
    return "" if default is None else str(default)


def _plain(words: str) -> str:
    """A word in angle brackets would be taken for HTML, and not shown."""
    return words.replace("<", "&lt;")


def _default(default: str) -> str:
    if default in ("", REQUIRED):
        return default or "—"
    return f"`{default}`"


if __name__ == "__main__":
    README.write_text(renewed(README.read_text(encoding="utf-8")), encoding="utf-8")

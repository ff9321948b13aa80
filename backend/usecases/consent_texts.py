from sqlalchemy import Connection

from backend.credit import store
from backend.credit.store import Ground
from backend.residents.consents.model import ConsentText, Purpose
from backend.residents.consents.texts import TEXTS


def texts_in_force(connection: Connection, city: str) -> dict[Purpose, ConsentText]:
    """By purpose; what would go to a platform is open only once the city has published on which basis, and to whom."""
    ground = store.ground(connection, city)
    return dict(TEXTS) if ground is None else {**TEXTS, Purpose.CREDIT_EXPORT: _export_text(ground)}


def _export_text(ground: Ground) -> ConsentText:
    """Names receiver, contact, purpose, way and kinds of data (PIPL, article 23)."""
    return ConsentText(
        Purpose.CREDIT_EXPORT.value,
        ground.version,
        f"同意后，在您逐次提交时，我们依据{ground.issuer}《{ground.document_number}》（{ground.published_on}）向"
        f"{ground.platform}（联系方式：{ground.contact}）提供您选定的“至少若干次绿色消费”声明及一个专用编号，仅用于守信激励。"
        "不提供商店、商品、金额和登录信息，不用于信贷。随时可以撤回；撤回后不再提供，并请求对方删除。",
        f"If you agree we send, each time you submit one, a statement of your choice and a number made for this alone to "
        f"{ground.platform} (contact: {ground.contact}), under {ground.document_number} of {ground.issuer} "
        f"({ground.published_on}), for rewards only: no shop, product, amount or sign-in, and never for lending. Withdrawn "
        "at any time; nothing is sent after that, and deletion is asked for.",
    )

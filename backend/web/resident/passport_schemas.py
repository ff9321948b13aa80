import marshmallow as ma

from backend.credit.model import LADDER, ShownFor
from backend.web.schemas import Body, Text


class StatementBody(Body):
    at_least = ma.fields.Integer(required=True, strict=True, validate=ma.validate.OneOf(LADDER))


class StatementSchema(ma.Schema):
    statement = ma.fields.String(required=True)
    at_least = ma.fields.Integer(required=True)
    sentence = ma.fields.String(required=True)
    sentence_en = ma.fields.String(required=True)
    issued_at = ma.fields.DateTime(required=True)
    expires_at = ma.fields.DateTime(required=True)
    holds = ma.fields.Boolean(required=True)
    revoked_at = ma.fields.DateTime(required=True, allow_none=True)
    revoked_why = ma.fields.String(required=True, allow_none=True)


class PassportSchema(ma.Schema):
    may_state = ma.fields.List(
        ma.fields.Integer(), required=True, metadata={"description": "现在可声明的次数 / what may be stated now"}
    )
    statements = ma.fields.List(ma.fields.Nested(StatementSchema), required=True)


class CredentialSchema(ma.Schema):
    statement = ma.fields.String(required=True)
    credential = ma.fields.String(
        required=True, metadata={"description": "可验证凭证，vc+jwt / W3C verifiable credential, vc+jwt"}
    )


class ShowBody(Body):
    recipient = Text(1, 100, required=True, metadata={"description": "出示给谁 / to whom it is shown"})
    purpose = ma.fields.Enum(ShownFor, by_value=True, required=True)
    nonce = Text(
        8,
        64,
        pattern=r"[A-Za-z0-9_-]+",
        load_default=None,
        metadata={"description": "对方给出的随机数 / the recipient's"},
    )


class PresentationSchema(ma.Schema):
    presentation = ma.fields.String(required=True, metadata={"description": "以二维码出示 / shown as a QR code"})
    nonce = ma.fields.String(required=True)
    expires_at = ma.fields.DateTime(required=True)


class CreditExportSchema(ma.Schema):
    export = ma.fields.String(required=True)

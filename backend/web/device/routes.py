"""Enrolment of tills. No token opens these routes: a claim does, or the signature of the till's present key."""

import base64
from typing import Any

import marshmallow as ma
from flask import Response
from flask_smorest import Blueprint

from backend.devices.enrolment.model import Issued
from backend.usecases.provision_device import Application
from backend.usecases.rotate_keys import Rotation
from backend.web.auth import Access
from backend.web.bounded import bounds
from backend.web.context import backend, note, now
from backend.web.endpoint import answer, endpoint
from backend.web.schemas import Base64Bytes, Body, Text

device = Blueprint("device", __name__, url_prefix="/api/device/v1", description="扫码终端 / tills")


class KeysBody(Body):
    csr = Text(1, 4_096, required=True, metadata={"description": "PKCS#10 in PEM, P-256; its subject is not heeded"})
    sign_pub = Base64Bytes(bytes_max=32, required=True, metadata={"description": "Ed25519 public key, 32 bytes"})


class ProvisionBody(KeysBody):
    claim = Text(1, 64, required=True, metadata={"description": "登记码 GPE1.… / the one-time claim"})
    hw_serial = Text(0, 64, pattern=r"[ -~]*", required=True)
    proof = Base64Bytes(bytes_max=64, required=True, metadata={"description": "Ed25519 by sign_pub's key"})


class RotationBody(KeysBody):
    device = Text(8, 40, pattern=r"[a-z0-9-]+", required=True)
    key_id = Text(1, 8, pattern=r"[a-z0-9]+", required=True, metadata={"description": "the present key"})
    signature = Base64Bytes(bytes_max=64, required=True, metadata={"description": "Ed25519 by the present key"})


class BrokerSchema(ma.Schema):
    host = ma.fields.String(required=True)
    port = ma.fields.Integer(required=True)


class IssuedSchema(ma.Schema):
    device = ma.fields.String(required=True, metadata={"description": "设备编号，即证书的 CN / also the CN"})
    key_id = ma.fields.String(required=True, metadata={"description": "name of the signing key"})
    certificate = ma.fields.String(required=True, metadata={"description": "PEM"})
    not_after = ma.fields.DateTime(required=True)
    authority = ma.fields.String(required=True, metadata={"description": "PEM, whom to believe a broker from"})
    receipt_keys = ma.fields.List(ma.fields.String(), required=True, metadata={"description": "base64"})
    city_keys = ma.fields.List(ma.fields.String(), required=True, metadata={"description": "`id base64`"})
    brokers = ma.fields.List(ma.fields.Nested(BrokerSchema), required=True)


@endpoint(device, "/provision", method="POST", access=Access.OPEN, body=ProvisionBody(), answers={200: IssuedSchema()})
def provision(body: dict[str, Any]) -> Response:
    """凭登记码领取证书与设置；断电后以同样的密钥重发得到同样的回答 / a new till by its claim; the same keys, the same answer."""
    bounds().everyone.enter()
    application = Application(body["claim"], body["csr"], body["sign_pub"], body["hw_serial"], body["proof"])
    return _answer(backend().provision_device.provision(application, now()))


@endpoint(device, "/keys", method="POST", access=Access.OPEN, body=RotationBody(), answers={200: IssuedSchema()})
def rotate(body: dict[str, Any]) -> Response:
    """更换密钥与证书，由现用密钥签名 / new keys and certificate, vouched for by the present key."""
    bounds().everyone.enter()
    rotation = Rotation(body["device"], body["key_id"], body["csr"], body["sign_pub"], body["signature"])
    return _answer(backend().rotate_keys.rotate(rotation, now()))


def _answer(issued: Issued) -> Response:
    note(device_id=issued.device, key_id=issued.key_id)
    facts = backend().till_facts
    return answer(
        {
            "device": issued.device,
            "key_id": issued.key_id,
            "certificate": issued.certificate,
            "not_after": issued.not_after,
            "authority": facts.authority,
            "receipt_keys": [base64.b64encode(facts.receipt_key).decode()],
            "city_keys": [f"{facts.city_key_id} {base64.b64encode(facts.city_key).decode()}"],
            "brokers": [{"host": host, "port": port} for host, port in facts.brokers],
        }
    )

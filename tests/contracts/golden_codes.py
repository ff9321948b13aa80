"""Codes of members and claims, good and bad, and what a till enrols with."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware_bridge.wire.claim_code import claim_sha256, draw_claim_code, show_claim_code
from firmware_bridge.wire.enrolment import provision_bytes, rotation_bytes
from firmware_bridge.wire.member_code import MemberCode, encode_member_code
from tests.contracts.golden_parties import CITY, CITY_SEED, DEVICE, DEVICE_SEED, NOW_S, OTHER_SEED, signer


def member_code(expires_s: int = NOW_S + 60, city: str = CITY, seed: bytes = CITY_SEED) -> str:
    code = MemberCode(key_id="n1", city=city, handle=bytes(range(16)), expires_s=expires_s)
    return encode_member_code(code, signer(seed))


def member_codes() -> list[dict[str, object]]:
    good = member_code()
    other = good[:-1] + chr(ord(good[-1]) ^ 1)
    cases = [
        ("valid", good, NOW_S, None),
        ("valid in its last second", good, NOW_S + 59, None),
        ("expired", good, NOW_S + 60, "member_code_expired"),
        ("valid for 120 s, at once", member_code(NOW_S + 120), NOW_S, None),
        ("valid for 121 s", member_code(NOW_S + 121), NOW_S, "member_code_too_far_ahead"),
        ("of another city", member_code(city="320200"), NOW_S, "member_code_of_another_city"),
        ("signed by another key", member_code(seed=OTHER_SEED), NOW_S, "member_code_forged"),
        ("key id unknown", good.replace("GPM1.bj", "GPM1.bk"), NOW_S, "member_key_unknown"),
        ("a second spelling", other, NOW_S, "member_code_malformed"),
        ("cut short", good[:-1], NOW_S, "member_code_malformed"),
        ("padded", good + "=", NOW_S, "member_code_malformed"),
        ("another prefix", good.replace("GPM1.", "GPM2."), NOW_S, "member_code_malformed"),
        ("line end behind it", good + "\n", NOW_S, "member_code_malformed"),
    ]
    return [
        {"case": case, "text": text, "now_s": now_s, "city": CITY, "code": code} for case, text, now_s, code in cases
    ]


def member_cards() -> list[dict[str, object]]:
    good = ["GPC1.320100000000000000I", "GPC1.320100000G40R40M308", "GPC1.320100ZZZZZZZZZZZZV"]
    wrong = [
        ("a digit misread", "GPC1.320100000G40R40M318"),
        ("two digits exchanged", "GPC1.32010000G040R40M308"),
        ("another check character", "GPC1.320100000G40R40M309"),
        ("cut short", "GPC1.320100000G40R40M30"),
        ("lower case", "GPC1.320100000g40r40m308"),
        ("a letter that is none", "GPC1.320100000U40R40M308"),
        ("line end behind it", "GPC1.320100000G40R40M308\n"),
        ("another prefix", "GPC2.320100000G40R40M308"),
    ]
    cases = [("good", text, None) for text in good]
    cases += [(case, text, "member_card_malformed") for case, text in wrong]  # type: ignore[misc]
    return [{"case": case, "text": text, "code": code} for case, text, code in cases]


def claim_codes() -> dict[str, object]:
    drawn = [bytes(10), b"\xff" * 10, bytes(range(10)), bytes.fromhex("0123456789abcdef0123")]
    accepted = [
        {
            "random_hex": random.hex(),
            "code": draw_claim_code(random),
            "shown": show_claim_code(draw_claim_code(random)),
            "claim_sha256": claim_sha256(draw_claim_code(random)),
        }
        for random in drawn
    ]
    typed = [["oooo-oooo-oooo-oooo", "0" * 16], ["ilIL ILil 1111 1111", "1" * 16], [" zzzz-ZZZZ-zzzzzzzz ", "Z" * 16]]
    refused = ["", "0" * 15, "0" * 17, "U" * 16, "0000-0000-0000-000*", "０" * 16]
    return {"drawn": accepted, "typed": typed, "refused": refused}


def enrolment() -> dict[str, object]:
    csr = "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"
    claim, present = "GPE1.000000000000000000000000A4", signer(DEVICE_SEED)
    signing = Ed25519PrivateKey.from_private_bytes(OTHER_SEED).public_key().public_bytes_raw()
    provision, rotation = provision_bytes(claim, csr), rotation_bytes(DEVICE, csr, signing)
    return {
        "csr": csr,
        "claim": claim,
        "device": DEVICE,
        "sign_pub_hex": signing.hex(),
        "provision_signed_hex": provision.hex(),
        "provision_signature_hex": present(provision).hex(),
        "rotation_signed_hex": rotation.hex(),
        "rotation_signature_hex": present(rotation).hex(),
    }

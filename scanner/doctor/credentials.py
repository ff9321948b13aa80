"""Keys and certificates."""

import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509.oid import NameOID

from scanner import keys
from scanner.doctor.model import Advice, Finding, ok, warn, wrong
from scanner.errors import TillRefusal
from scanner.settings import Settings, TlsFiles

_ENROL = Advice("按登记步骤重新放置此文件。", "Put this file in place again, as at enrolment.")


def examine(settings: Settings, now: datetime) -> Iterator[Finding]:
    loads: tuple[tuple[str, str, str, Callable[[Path], object], Path], ...] = (
        ("signing_key", "签名私钥", "The signing key", keys.signing_key, settings.key_path),
        ("city_keys", "会员码公钥", "The keys of member codes", keys.city_keys, settings.city_keys_path),
        ("receipt_key", "回执公钥", "The keys of receipts", keys.receipt_verifier, settings.receipt_key_path),
    )
    for subject, name_zh, name_en, load, path in loads:
        try:
            load(path)
            yield ok(subject, f"{name_zh}可用。", f"{name_en} can be used.")
        except TillRefusal as refusal:
            yield wrong(subject, refusal.sentence_zh, refusal.sentence_en, _ENROL)
    if settings.tls is None:
        yield ok("tls", "消息服务器在本机，不用 TLS。", "The broker is on this machine; no TLS.")
    else:
        yield from _tls(settings.tls, settings.device_id, now)


def _tls(files: TlsFiles, device_id: str, now: datetime) -> Iterator[Finding]:
    try:
        authority = x509.load_pem_x509_certificate(files.ca.read_bytes())
        certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
        key = load_pem_private_key(files.key.read_bytes(), password=None)
        private = files.key.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO) == 0
    except (OSError, ValueError, TypeError) as error:
        name = error.filename if isinstance(error, OSError) else type(error).__name__
        yield wrong("tls", f"TLS 文件不可用：{name}。", f"A TLS file cannot be used: {name}.", _ENROL)
        return
    yield judge_dates("broker_ca", "消息服务器的 CA 证书", "The broker's authority", authority, now)
    yield judge_dates("certificate", "终端证书", "The till's certificate", certificate, now)
    yield judge_name(certificate, device_id)
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if key.public_key().public_bytes(*form) != certificate.public_key().public_bytes(*form):
        yield wrong("tls_key", "TLS 私钥与证书不是一对。", "The TLS key is not that of the certificate.", _ENROL)
    elif not private:
        advice = Advice(f"chmod 600 {files.key}", f"chmod 600 {files.key}")
        yield wrong("tls_key", "他人可以读取 TLS 私钥。", "Others may read the TLS key.", advice)
    else:
        yield ok("tls_key", "TLS 私钥与证书匹配。", "The TLS key belongs to the certificate.")


def judge_dates(subject: str, name_zh: str, name_en: str, certificate: x509.Certificate, now: datetime) -> Finding:
    """A certificate should be renewed after two thirds of its life (devices.md 1.7)."""
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    until = ends.astimezone(UTC).date()
    if now < begins:
        advice = Advice("先校准本机时钟：timedatectl", "Set the clock first: timedatectl")
        return wrong(
            subject, f"{name_zh}尚未生效，多半是时钟错了。", f"{name_en} is not valid yet: is the clock wrong?", advice
        )
    renew = Advice("重新登记以换发证书。", "Enrol again, for a new one.")
    if now >= ends:
        return wrong(subject, f"{name_zh}已于 {until} 过期。", f"{name_en} expired on {until}.", renew)
    if now >= begins + (ends - begins) * 2 / 3:
        return warn(subject, f"{name_zh}将于 {until} 到期。", f"{name_en} ends on {until}.", renew)
    return ok(subject, f"{name_zh}有效至 {until}。", f"{name_en} is valid until {until}.")


def judge_name(certificate: x509.Certificate, device_id: str) -> Finding:
    """The broker's access rules know a till by the CN of its certificate."""
    names = [str(name.value) for name in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    if names == [device_id]:
        return ok("certificate_name", f"证书属于本机 {device_id}。", f"The certificate is that of {device_id}.")
    found = ", ".join(names) or "-"
    return wrong(
        "certificate_name",
        f"证书属于 {found}，不是本机 {device_id}；消息会被拒收。",
        f"The certificate is that of {found} and not of {device_id}: messages will be refused.",
        Advice("换用本机的证书，或改正 DEVICE_ID。", "Use this till's certificate, or correct DEVICE_ID."),
    )

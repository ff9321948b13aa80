"""The only place that constructs: settings become the parts of one process, each made once and shared by its threads."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.x509 import random_serial_number

from backend import metrics
from backend.adapters.photos.reader import PhotoReader, installed_reader
from backend.adapters.queue import StartJob
from backend.adapters.sign_on.client import SignOnClient
from backend.adapters.text_gateway import GatewayAccount, TextGateway
from backend.adapters.text_messages import LoggedTextMessages
from backend.adapters.wechat.client import WechatClient
from backend.certificates.cache import RegistryCache
from backend.credit.signing import EDDSA, Signer, signer_of
from backend.devices.enrolment.certificate import Authority
from backend.key_files import authority_key, certificate_chain, secret_key, secret_text, signing_key
from backend.ledger import chart
from backend.policies.store import PolicyCache
from backend.redemptions.codes import CodeBook
from backend.resident_settings import TextMessages
from backend.settings import Settings
from backend.sign_on_file import providers_in
from backend.storage.migrate import newest
from backend.storage.transaction import Database
from backend.usecases.accept_messages import AcceptMessages
from backend.usecases.capture_quote import CaptureQuote
from backend.usecases.change_consent import ChangeConsent
from backend.usecases.claim_basket import ClaimBasket
from backend.usecases.claim_missing_points import ClaimMissingPoints, MissingTerms
from backend.usecases.close_account import CloseAccount
from backend.usecases.collect_awards import CollectAwards
from backend.usecases.confirm_redemption import ConfirmRedemption
from backend.usecases.export_person import ExportPerson
from backend.usecases.file_report import FileReport
from backend.usecases.hand_in_unit import HandInUnit
from backend.usecases.hold_redemption import HoldRedemption
from backend.usecases.issue_member_code import IssueMemberCode
from backend.usecases.merge_residents import MergeResidents
from backend.usecases.official_sign_in import OfficialSignIn
from backend.usecases.passport import Passport
from backend.usecases.provision_device import Issuer, ProvisionDevice
from backend.usecases.quote_basket import QuoteBasket
from backend.usecases.record_baskets import RecordBaskets
from backend.usecases.record_sales import RecordSales
from backend.usecases.record_together import RecordTogether
from backend.usecases.return_goods import ReturnGoods
from backend.usecases.rotate_keys import RotateKeys
from backend.usecases.scan_label import ScanLabel
from backend.usecases.seal_ledger import LogKey
from backend.usecases.send_notices import GrantNotices, SendNotices
from backend.usecases.send_phone_code import SendPhoneCode
from backend.usecases.sign_in import SignIn
from backend.usecases.sign_on import SignOn
from backend.usecases.void_baskets import VoidBaskets

ROLE = "greenpoints_engine"
CONSOLE_ROLE = "greenpoints_console"
CONSOLE_CONNECTIONS = 4
"""Officials are few; at most these, beside those that a setting allows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TillFacts:
    """What every till is told when it is enrolled, beside its own certificate: whom to believe, where to connect."""

    authority: str
    receipt_key: bytes
    city_key: bytes
    city_key_id: str
    brokers: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """What the web hands its requests to: reads through `database.read()`, writes through the use cases."""

    settings: Settings
    database: Database
    console_database: Database
    """Of the console's role: `within(city)` sees that city alone, and without it none."""
    registry: RegistryCache
    policies: PolicyCache
    accept_messages: AcceptMessages
    scan_label: ScanLabel
    return_goods: ReturnGoods
    hand_in_unit: HandInUnit
    record_sales: RecordSales
    quote_basket: QuoteBasket
    capture_quote: CaptureQuote
    sign_in: SignIn
    official_sign_in: OfficialSignIn
    sign_on: SignOn
    sign_ons: Mapping[str, SignOnClient]
    """By city."""
    merge_residents: MergeResidents
    grant_notices: GrantNotices
    send_phone_code: SendPhoneCode
    issue_member_code: IssueMemberCode
    collect_awards: CollectAwards
    claim_basket: ClaimBasket
    claim_missing_points: ClaimMissingPoints
    hold_redemption: HoldRedemption
    confirm_redemption: ConfirmRedemption
    codes: CodeBook
    change_consent: ChangeConsent
    close_account: CloseAccount
    export_person: ExportPerson
    file_report: FileReport
    passport: Passport
    provision_device: ProvisionDevice
    rotate_keys: RotateKeys
    till_facts: TillFacts
    ledger_key: bytes | None
    """The public half of what signs checkpoints."""
    sign: Callable[[bytes], bytes]
    """With the key that tills believe: receipts, and what is handed out for them."""
    newest_revision: str | None
    """Of the schema, as this release knows it."""

    photo_reader: PhotoReader
    wechat: WechatClient | None
    text_gateway: TextGateway | None
    start_job: StartJob
    """Begins a planned job at once; a minute later its schedule would."""

    def close(self) -> None:
        self.database.close()
        self.console_database.close()
        if self.wechat is not None:
            self.wechat.close()
        for sign_on in self.sign_ons.values():
            sign_on.close()
        if self.text_gateway is not None:
            self.text_gateway.close()


def build(settings: Settings) -> Backend:
    """Reads the key files; connects to the database when the first request needs it."""
    database = Database(settings.database_url, role=ROLE, pool_size=settings.database_connections)
    registry, policies = RegistryCache(), PolicyCache(chart.budget)
    identity_key = secret_key(settings.identity_hash_key_file)
    codes = CodeBook(identity_key)
    sign = signing_key(settings.receipt_key_file).sign
    issuer = _issuer(settings)
    wechat, gateway = _wechat(settings), _text_gateway(settings)
    sign_in = SignIn(database, identity_key, wechat, development=settings.development_sign_in)
    recorder = _recorder(settings, database, registry, policies)
    return Backend(
        settings=settings,
        database=database,
        console_database=Database(settings.database_url, role=CONSOLE_ROLE, pool_size=CONSOLE_CONNECTIONS),
        registry=registry,
        policies=policies,
        accept_messages=_accept_messages(settings, database, recorder, policies, sign),
        scan_label=_scan_label(settings, database, recorder, policies),
        return_goods=ReturnGoods(database, policies),
        hand_in_unit=HandInUnit(database, registry, policies),
        record_sales=RecordSales(database, recorder, policies),
        quote_basket=QuoteBasket(
            database, registry, policies, line_key=identity_key, card_sales_a_day=settings.card_sales_a_day
        ),
        capture_quote=CaptureQuote(database, policies),
        sign_in=sign_in,
        sign_on=SignOn(database, identity_key),
        sign_ons=_sign_ons(settings),
        official_sign_in=OfficialSignIn(database, identity_key, development=settings.development_sign_in),
        merge_residents=MergeResidents(database, sign_in),
        grant_notices=GrantNotices(database, identity_key, wechat),
        send_phone_code=SendPhoneCode(database, identity_key, _text_messages(settings, gateway)),
        text_gateway=gateway,
        photo_reader=installed_reader(),
        wechat=wechat,
        start_job=StartJob(database),
        issue_member_code=IssueMemberCode(
            database, signing_key(settings.member_code_key_file).sign, settings.member_code_key_id
        ),
        collect_awards=CollectAwards(database),
        claim_basket=ClaimBasket(database, registry, policies, card_sales_a_day=settings.card_sales_a_day),
        claim_missing_points=ClaimMissingPoints(database, registry, policies, missing_terms(settings)),
        hold_redemption=HoldRedemption(database, codes),
        confirm_redemption=ConfirmRedemption(database, codes),
        codes=codes,
        change_consent=ChangeConsent(database),
        close_account=CloseAccount(database, identity_key),
        export_person=ExportPerson(database),
        file_report=FileReport(database, wechat),
        passport=Passport(database, _passport_signer(settings), settings.passport_issuer),
        provision_device=ProvisionDevice(database, issuer),
        rotate_keys=RotateKeys(database, issuer),
        till_facts=_till_facts(settings, issuer),
        ledger_key=None if (key := log_key(settings.ledger_key_file)) is None else key.public,
        sign=sign,
        newest_revision=newest(),
    )


def _scan_label(settings: Settings, database: Database, recorder: RecordBaskets, policies: PolicyCache) -> ScanLabel:
    observe = metrics.shared.observe
    return ScanLabel(database, recorder, policies, together_max=settings.shared_scans_max, observe=observe)


def _accept_messages(
    settings: Settings,
    database: Database,
    recorder: RecordBaskets,
    policies: PolicyCache,
    sign: Callable[[bytes], bytes],
) -> AcceptMessages:
    voids = VoidBaskets(database, policies)
    return AcceptMessages(database, RecordTogether(recorder), sign, voids=voids, reads_max=settings.batch_reads_max)


def _recorder(settings: Settings, database: Database, registry: RegistryCache, policies: PolicyCache) -> RecordBaskets:
    key = secret_key(settings.identity_hash_key_file)
    return RecordBaskets(database, registry, policies, line_key=key, card_sales_a_day=settings.card_sales_a_day)


def missing_terms(settings: Settings) -> MissingTerms:
    return MissingTerms(settings.missing_points_days, settings.appeal_working_days)


def log_key(path: Path | None) -> LogKey | None:
    """What signs checkpoints of the ledger, from its file."""
    if path is None:
        return None
    key = signing_key(path)
    return LogKey(key.public_key().public_bytes_raw(), key.sign)


def notices_of(settings: Settings, database: Database) -> SendNotices | None:
    """What tells residents before points end; None where the app or its template is not set."""
    wechat = _wechat(settings)
    if wechat is None or settings.wechat_expiry_template is None:
        return None
    return SendNotices(database, secret_key(settings.identity_hash_key_file), wechat, settings.wechat_expiry_template)


def _passport_signer(settings: Settings) -> Signer | None:
    if settings.passport_key_file is None:
        return None
    return signer_of(EDDSA, signing_key(settings.passport_key_file))


def _sign_ons(settings: Settings) -> dict[str, SignOnClient]:
    if settings.sign_on_file is None:
        return {}
    return {city: SignOnClient(provider) for city, provider in providers_in(settings.sign_on_file).items()}


def _issuer(settings: Settings) -> Issuer | None:
    if settings.device_ca_file is None or settings.device_ca_key_file is None:
        return None
    authority = Authority(certificate_chain(settings.device_ca_file), authority_key(settings.device_ca_key_file))
    return Issuer(authority, random_serial_number)


def _till_facts(settings: Settings, issuer: Issuer | None) -> TillFacts:
    pairs = (broker.rsplit(":", 1) for broker in settings.brokers.split(","))
    return TillFacts(
        authority="" if issuer is None else issuer.authority.pem,
        receipt_key=signing_key(settings.receipt_key_file).public_key().public_bytes_raw(),
        city_key=signing_key(settings.member_code_key_file).public_key().public_bytes_raw(),
        city_key_id=settings.member_code_key_id,
        brokers=tuple((host, int(port)) for host, port in pairs),
    )


def _wechat(settings: Settings) -> WechatClient | None:
    if settings.wechat_appid is None or settings.wechat_secret_file is None:
        return None
    return WechatClient(settings.wechat_url, settings.wechat_appid, secret_text(settings.wechat_secret_file))


def _text_gateway(settings: Settings) -> TextGateway | None:
    """Its settings are there together: `settings` sees to that."""
    if settings.text_messages is not TextMessages.GATEWAY or settings.text_messages_secret_file is None:
        return None
    secret = secret_text(settings.text_messages_secret_file).encode()
    given = settings.text_messages_template or "", settings.text_messages_sign_name or ""
    return TextGateway(
        GatewayAccount(settings.text_messages_url or "", settings.text_messages_key or "", secret, *given)
    )


def _text_messages(settings: Settings, gateway: TextGateway | None) -> LoggedTextMessages | TextGateway | None:
    return LoggedTextMessages() if settings.text_messages is TextMessages.LOG else gateway

"""A retailer of Suzhou whose service counter has no till of ours: on the last day its mainframe's sales come as a file."""

import csv
import hashlib
import io
from datetime import datetime, timedelta
from uuid import UUID

from backend.audit.acting import acting
from backend.certificates.cache import RegistryCache
from backend.demo.year.founding import FOUNDER
from backend.demo.year.goods import FRIDGE, WASHER, WITHDRAWN
from backend.demo.year.shops import SHOPS, SUZHOU
from backend.kernel.periods import CHINA
from backend.ledger import chart
from backend.policies.store import PolicyCache
from backend.sales_files.headings import HEADINGS
from backend.sales_files.model import NewFile
from backend.storage.transaction import Database
from backend.usecases.record_baskets import RecordBaskets
from backend.usecases.record_sales import RecordSales
from backend.usecases.sales_files import put_sales_file

_COLUMNS = ("event_id", "store", "sold_at", "line_no", "code", "quantity", "price_fen", "slip_no")
_FIRST, _SECOND, _ANOTHERS = SHOPS[0].store, SHOPS[1].store, SHOPS[2].store.store


@acting(FOUNDER)
def upload(database: Database, line_key: bytes, now: datetime) -> None:
    """Some of its lines are wrong, as files are: what stands in the answers is true of each."""
    policies = PolicyCache(chart.budget)
    recorder = RecordBaskets(database, RegistryCache(), policies, line_key=line_key)
    number = str(UUID(bytes=hashlib.sha256(b"suzhou mainframe").digest()[:16], version=4))
    new = NewFile(number, _FIRST.retailer, "服务台销售.csv", _file(now), "顾晴", "顾晴")
    put_sales_file(database, RecordSales(database, recorder, policies), SUZHOU, new, now)


def _file(now: datetime) -> bytes:
    noon = f"{now.astimezone(CHINA) - timedelta(days=1):%Y-%m-%d} 12:00"
    rows = (
        ("FW-0001", _FIRST.store, noon, "1", FRIDGE.code, "1", "329900", "FW0001"),
        ("FW-0001", _FIRST.store, noon, "2", WASHER.code, "1", "239900", "FW0001"),
        ("FW-0002", _SECOND.store, noon, "1", WITHDRAWN.code, "2", "11980", "FW0002"),
        ("FW-0003", _SECOND.store, noon, "1", WASHER.code, "一台", "239900", "FW0003"),
        ("FW-0004", _ANOTHERS, noon, "1", FRIDGE.code, "1", "329900", "FW0004"),
        ("FW-0005", _FIRST.store, noon, "1", "9.52123E+12", "1", "4990", "FW0005"),
    )
    text = io.StringIO()
    sheet = csv.writer(text)
    sheet.writerow([HEADINGS[name].zh for name in _COLUMNS])
    sheet.writerows(rows)
    return text.getvalue().encode("gb18030")

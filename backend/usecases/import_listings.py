"""Official lists of enterprises: one person proposes a file, another takes over exactly what was seen."""

from datetime import datetime

from sqlalchemy import Connection

from backend.audit.acts import What
from backend.audit.model import Act
from backend.audit.store import record
from backend.certificates import listing_files, listings
from backend.certificates.listing_files import NewListingFile
from backend.certificates.listings import Imported, Report
from backend.kernel.errors import DomainError
from backend.kernel.ids import NO_CITY
from backend.kernel.persons import are_different

KIND = "enterprise-lists"


class ListsByTwo(DomainError):
    code = "lists-need-another"
    text_zh = "名单须由提交人以外的人复核后导入。"
    text_en = "A list is imported once somebody who did not propose it has approved."


class ListsChanged(DomainError):
    code = "lists-changed"
    text_zh = "提交之后名录已有变化，这份文件的差异不再是复核时所见，请退回后重新提交。"
    text_en = (
        "The registry has changed since: what the file would do is not what you saw. Send it back and propose it again."
    )


class NothingListed(DomainError):
    code = "nothing-listed"
    text_zh = "这份文件没有新的列入、移出或更正，无需导入。"
    text_en = "The file lists, removes and corrects nothing: there is nothing to import."


def propose_listings(connection: Connection, city: str, new: NewListingFile, now: datetime) -> Report:
    """What the file would change, once another approves. Raises FileRefused, ListColumnsMissing, NothingListed,
    ListingFileProposed.
    """
    report = listings.compare(connection, new.content)
    if not report.differences:
        raise NothingListed
    listing_files.put(connection, city, new, report, now)
    facts = {"by": new.by, "source": new.source, **_counted(report)}
    record(connection, Act(What.LISTINGS_PROPOSED, city, KIND, new.file, now, after=facts))
    return report


def approve_listings(connection: Connection, city: str, file: str, by: str, now: datetime) -> Report:
    """Stores what was proposed, if it would still do the same. Raises ListingFileUnknown, ListsByTwo, ListsChanged."""
    found, content, digest = listing_files.locked(connection, city, file)
    report = import_listings(connection, content, Imported(found.source, found.by, now, by))
    if report.digest != digest:
        raise ListsChanged
    listing_files.judge(connection, city, file, "imported", by, now)
    return report


def refuse_listings(connection: Connection, city: str, file: str, by: str, reason: str, now: datetime) -> None:
    """By anybody, also by who proposed it. Raises ListingFileUnknown."""
    found, _, _ = listing_files.locked(connection, city, file)
    listing_files.judge(connection, city, file, "refused", by, now)
    facts = {"source": found.source, "by": by}
    record(connection, Act(What.LISTINGS_REFUSED, city, KIND, file, now, reason=reason, after=facts))


def import_listings(connection: Connection, content: bytes, origin: Imported) -> Report:
    """They concern all cities. Raises FileRefused, ListColumnsMissing, ListsByTwo."""
    if not are_different(origin.by, origin.approved_by):
        raise ListsByTwo
    report = listings.store(connection, content, origin)
    facts = {"by": origin.by, "approved_by": origin.approved_by, **_counted(report)}
    record(connection, Act(What.LISTINGS_IMPORTED, NO_CITY, KIND, origin.source, origin.now, after=facts))
    return report


def _counted(report: Report) -> dict[str, object]:
    return {"added": report.added, "changed": report.changed, "refused": len(report.errors)}

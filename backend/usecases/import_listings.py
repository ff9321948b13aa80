from sqlalchemy import Connection

from backend.audit.acts import What
from backend.audit.model import Act
from backend.audit.store import record
from backend.certificates import listings
from backend.certificates.listings import Imported, Report
from backend.kernel.ids import NO_CITY
from backend.storage.transaction import Database


def import_listings(database: Database, content: bytes, origin: Imported, *, dry_run: bool = False) -> Report:
    """Official lists of enterprises concern all cities. Raises sheets.FileRefused, headings.ColumnsMissing."""

    def act(connection: Connection, report: Report) -> None:
        facts = {"added": report.added, "changed": report.changed, "refused": len(report.errors)}
        record(
            connection,
            Act(What.LISTINGS_IMPORTED, NO_CITY, "enterprise-lists", origin.source, origin.now, after=facts),
        )

    return listings.import_listings(database, content, origin, dry_run=dry_run, act=act)

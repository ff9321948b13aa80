"""The queue of schedules and long jobs: procrastinate's own tables, functions and triggers, from its own migrations.

Its files are numbered and never change, so that this revision makes the same schema whichever newer version of the library
is installed. What a newer one needs comes in a revision of its own.
"""

from importlib import resources

from alembic import op

revision = "0004_jobs"
down_revision = "0003_core"
branch_labels = None
depends_on = None

LAST_FILE = "03.04.00_50_post_add_retry_failed_job_procedure.sql"
TABLES = ("procrastinate_jobs", "procrastinate_events", "procrastinate_periodic_defers", "procrastinate_workers")
SEQUENCES = ("procrastinate_jobs_id_seq", "procrastinate_events_id_seq", "procrastinate_periodic_defers_id_seq")


def upgrade() -> None:
    connection = op.get_bind()
    files = resources.files("procrastinate.sql").joinpath("migrations")
    for file in sorted(files.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".sql") and file.name <= LAST_FILE:
            # Without parameters, so that the per cent signs of PL/pgSQL stay what they are.
            connection.exec_driver_sql(file.read_text("utf-8"), execution_options={"no_parameters": True})
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {', '.join(TABLES)} TO greenpoints_engine")
    op.execute(f"GRANT USAGE ON SEQUENCE {', '.join(SEQUENCES)} TO greenpoints_engine")
    op.execute(f"GRANT SELECT ON {', '.join(TABLES)} TO greenpoints_console, greenpoints_auditor")

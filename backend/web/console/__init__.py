"""The console `/console/`: pages for the officials of a city and of its province. `/shop/`, for staff of retailers, is built upon
it (see `shop/__init__.py`): a page is served on the side whose roles it names.

How a page is added:

1. Routes of a topic stand in one module `backend/web/console/<topic>.py`, its templates in `templates/<topic>/*.html`; the
   module is imported in `routes.py`. No view without a declaration:

       @page("/budgets", title=("预算", "Budgets"), topic=Topic.MONEY, roles=frozenset({Role.FINANCE, Role.AUDITOR}),
             menu=("预算", "Budgets"))
       def budgets() -> Response:
           with read(here.city()) as connection:
               rows = queries.budgets(connection, here.city(), after, ROWS + 1)
           return render("money/budgets.html", rows=rows)

   `menu` puts it below its topic on the left. `method="POST"` checks the form's token; roles of a POST never hold AUDITOR.
   `step_up=True` (money, exports, rights) asks for a code of the second factor given within ten minutes: declare it on the
   page that shows the form, and on the POST. A form that is sent later waits behind the code, with all that was typed; one that
   is sent after the session ended waits in the page until somebody is signed in again.
2. Read by `connection.read(city)`, a read-only transaction; write by `connection.write(city, work)`, `work` being a use case
   that records its act (`backend.audit.store.record`) in the same transaction. `here.city()` is the city that is looked at,
   `here.official()` who asks, `here.district()` the one district that an official may be bound to, or None.
3. Answer by `render(template, **values)`; after a POST by `done(url, zh, en)`, which leads on and says it there once. A
   DomainError that is raised becomes a page with its sentence; where it belongs to a field, catch it and render the form
   again (status from `PROBLEMS`) with `refused=(zh, en)`.
4. Templates extend `console/base.html` and fill the blocks `content` and, where needed, `actions` (buttons at the title).
   Texts are written as `{{ say("中文", "English") }}`. Amounts by `yuan(fen)`, counts and points by `whole(n)`, percentages by
   `share(part, of)`, times by `moment(at)`, `second(at)`, `day(on)`; names by `city_name(code)`, `district_name(code)`.
   Macros of `ui` (see `templates/console/parts.html`): `ui.card`, `ui.table`, `ui.pager`, `ui.empty`, `ui.field`, `ui.choice`,
   `ui.token()` (in every POST form), `ui.status`, `ui.facts`, `ui.chart` (drawn from the rows of a table beneath it).
5. htmx 4: the token's header is inherited from the body. For a partial request `render` answers with the block `content` alone;
   a refusal arrives in `#problem` above the page. No inline script, style or `style=`: what is missing goes to `static/`.
6. Tests: `tests.worlds.officials.signed_in(client, database, now, Role.FINANCE)` for HTTP (`client.csrf` goes into forms), the
   fixture `served` of `tests/http/console` with `served.enter(window, Role.FINANCE)` for a tab in a real browser.

Invariants: every route is declared, and the declaration lets in and keeps out; nothing is asked of a third party; a page reads a
bounded number of rows, by keyset; the city comes from the session, never from the address.
"""

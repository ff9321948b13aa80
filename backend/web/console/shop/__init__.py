"""The shop console `/shop/`: pages for a retailer's own staff. It is the city's console, seen through the other door.

Everything in `backend.web.console` holds here: `@page`, `render`, `done`, `read`, `write`, templates, static files, tests. A page
that names roles of `STAFF` (`Role.SHOPKEEPER`, `Role.CLERK`) is served below /shop/ and to staff alone; one that names offices,
below /console/ and to officials alone; one that names both (signing in, the account, staff) on both sides.

How a page is added:

1. Its routes stand in one module `backend/web/console/shop/<topic>.py`, its templates in `templates/shop/*.html`; the module is
   imported in `routes.py`:

       @page("/statements", title=("对账单", "Statements"), topic=Topic.STATEMENTS, roles=STAFF, menu=("对账单", "Statements"))
       def listed() -> Response:
           with read(here.city()) as connection:
               rows = queries.statements_of(connection, here.city(), here.retailer(), after, ROWS + 1)
           return render("shop/statements.html", rows=rows)

       @page("/statements/<month>/confirm", …, roles=MANAGES, method="POST", step_up=True)    # MANAGES: the shopkeeper alone

2. Every query and every write names `here.city()` and `here.retailer()`: the database's second wall stands between cities, not
   between the retailers of one. An object of another retailer is refused as one that does not exist (404), never shown.
3. Links are written from `home` in templates (`{{ home }}statements`), `here.home()` in code.
4. Topics of staff: OVERVIEW, SALES, STATEMENTS, FLEET (tills), PEOPLE, SETTINGS. A use case that staff start records its act, as
   an official's does; the actor's role is `shopkeeper` or `clerk`.
5. Tests: `tests.worlds.officials.signed_in(client, database, now, Role.SHOPKEEPER, retailer="苏果")` signs in on both sides, so
   that a page of the city can be asked for and seen to refuse; a `Desk` of `served` goes to `/shop/…` by `desk.shop("/…")`.
   `tests/http/console/test_matrix.py` walks every new route by itself; `test_foreign.py` asks which object of
   Nanjing a new `<name>` in a rule is, and tries it from another retailer too.
"""

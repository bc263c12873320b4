"""S5: the operators' list of users, a page of 50, among many and among few, at the beginning and deep within."""

from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from adapters.crypto.sealing import Sealer
from adapters.crypto.secret_sealer import AesSecretSealer
from application.paging.cursors import Cursors
from application.ports.user_search import UserPosition
from benchmarks.conversation import Answer, Client, Load, Request
from benchmarks.findings import Finding, at_least, at_most
from benchmarks.lab import Lab, Limit, Options
from benchmarks.loading import sampled
from benchmarks.people import SignedIn, register, sign_in
from benchmarks.processes import Server, ask
from benchmarks.ratios import spread_of_ratios
from benchmarks.results import Results
from benchmarks.rounds import Subject, interleaved
from benchmarks.samples import Sample
from benchmarks.scenarios.answers import answer_to, expect_same
from domain.ids import UserId

PATH = "/v1/admin/users"
FEW = 10_000
_CLIENTS = 8
_PAGE = f"{PATH}?limit=50"
_LIMIT: Limit = "bare Starlette"
_EMAIL = "operator@example.com"
_FIRST_MADE = datetime(2020, 1, 1, tzinfo=UTC)
# Rows first, indexes after, as a dump is restored.
_MAKE = """
DO $$
DECLARE
  found record;
BEGIN
  CREATE TEMPORARY TABLE dropped AS
    SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'users' AND indexname LIKE 'ix_%';
  FOR found IN SELECT * FROM dropped LOOP EXECUTE 'DROP INDEX ' || found.indexname; END LOOP;
  INSERT INTO users (id, version, email, email_canonical, email_verified_at, display_name, roles, security_epoch,
                     created_at, updated_at, last_seen_at)
  SELECT lpad(to_hex(n), 32, '0')::uuid, 1, address, address, moment, 'Firstname Lastname ' || n, '{}', 0,
         moment, moment, moment
  FROM generate_series(1::bigint, ROWS) AS n,
       LATERAL (SELECT 'user' || n || '@example.net' AS address,
                       timestamptz '2020-01-01 00:00Z' + n * interval '1 minute' AS moment) AS made;
  FOR found IN SELECT * FROM dropped LOOP EXECUTE found.indexdef; END LOOP;
  DROP TABLE dropped;
END $$
"""


def run(lab: Lab, options: Options) -> Results:
    """Compare with the same range read bare; a deep page with the first; and many users with few."""
    with ExitStack() as running:
        many, caller = _serving(lab, running, "many", options.rows)
        few, caller_among_few = _serving(lab, running, "few", FEW)
        limit = running.enter_context(lab.serving_limit(_LIMIT, many, lab.url("many")))
        expect_same([answer_to(server, _PAGE, caller.headers) for server in (many, limit)], but="next_cursor")
        deep = f"{_PAGE}&cursor={_cursor_after(lab, many, caller, options.rows // 2)}"
        subjects = [
            _subject(lab, "bare Starlette", limit, _PAGE, caller),
            _subject(lab, "the first page", many, _PAGE, caller),
            _subject(lab, "a page in the middle", many, deep, caller),
            _subject(lab, "the first page of few", few, _PAGE, caller_among_few),
        ]
        measured = interleaved(subjects, rounds=options.rounds, seconds=options.seconds)
    first = measured["the first page"]
    # What grows with depth or size would be PostgreSQL's work: there it counts as well.
    whole = [sample.whole_cost for sample in first]
    middle = spread_of_ratios([sample.whole_cost for sample in measured["a page in the middle"]], whole)
    among_few = spread_of_ratios(whole, [sample.whole_cost for sample in measured["the first page of few"]])
    of_limit = spread_of_ratios([sample.cost for sample in measured[_LIMIT]], [sample.cost for sample in first])
    return Results(
        findings=[
            Finding(scenario="s5", what=f"page of 50 users, of {_LIMIT}", found=of_limit, target=at_least(0.5)),
            Finding(scenario="s5", what="a page in the middle, times the first", found=middle, target=at_most(1.1)),
            Finding(
                scenario="s5",
                what=f"a page of {options.rows:,} users, times one of {FEW:,}",
                found=among_few,
                target=at_most(1.2),
            ),
        ],
        measured=measured,
    )


def _serving(lab: Lab, running: ExitStack, database: str, rows: int) -> tuple[Server, SignedIn]:
    """Hallporter on a database of so many users, and an operator among them."""
    url = lab.database(database)
    server = running.enter_context(lab.serving_hallporter(url, f"Hallporter, {database} users"))
    lab.execute(database, _MAKE.replace("ROWS", str(rows)))
    register(server, _EMAIL)
    lab.execute(
        database,
        f"UPDATE users SET roles = '{{admin}}' WHERE email_canonical = '{_EMAIL}'",  # noqa: S608  (a constant)
        "VACUUM ANALYZE users",
        "CHECKPOINT",
    )
    return server, sign_in(server, _EMAIL)


def _cursor_after(lab: Lab, server: Server, caller: SignedIn, number: int) -> str:
    """The cursor of a list that has come down to that user: one gets there by so many pages, or by knowing the key."""
    _, me = ask(server.port, "GET", "/v1/users/me", token=caller.access_token)
    position = UserPosition(_FIRST_MADE + timedelta(minutes=number), UserId(UUID(int=number)))
    cursors = Cursors(AesSecretSealer(Sealer(lab.secret_key.encode())))
    return cursors.write(str(position), of=f"{PATH} of {me['id']} by ")


def _subject(lab: Lab, name: str, server: Server, path: str, caller: SignedIn) -> Subject:
    client = Client(requests=(Request(method="GET", path=path, headers=caller.headers),))
    # Cursors are sealed anew each time.
    right = Answer(status=200, fields=("items", "next_cursor"))

    def measure(seconds: float) -> Sample:
        before = lab.database_processor_seconds()
        load = Load(port=server.port, clients=(client,) * _CLIENTS, right=(right,), seconds=seconds)
        sample = sampled(server, load)
        return replace(sample, database=lab.database_processor_seconds() - before)

    return Subject(name, measure)

"""What PostgreSQL does for a statement."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# Below that, looking at every row is as good as anything.
SMALL = 10_000
# Pages looked at: to find a way down some indexes, and for each row, with all that has to be kept true of it.
_MOST_TO_BEGIN = 120
_MOST_FOR_A_ROW = 30
_MOST_TO_EXAMINE_ONE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """How one statement was carried out."""

    sql: str
    indexes: Sequence[str]
    scanned: Sequence[str]
    rows: int
    buffers: int
    milliseconds: float

    def complaint(self, examined: int) -> str | None:
        """What is wrong with it, if anything is."""
        if self.scanned:
            return f"looks at every row of {', '.join(self.scanned)}"
        most = _MOST_TO_BEGIN + _MOST_FOR_A_ROW * self.rows + _MOST_TO_EXAMINE_ONE * examined
        if self.buffers > most:
            return f"looks at {self.buffers} pages for {self.rows} rows, and may look at {most}"
        return None


async def explained(driver: Any, sql: str, arguments: Sequence[object], large: Mapping[str, int]) -> Explained:  # noqa: ANN401  (it is untyped)
    """Have a statement carried out, and say how. It is carried out in earnest."""
    found = await driver.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", *arguments)
    plan = found[0]["Plan"]
    nodes = list(_nodes(plan))
    scanned = {node["Relation Name"] for node in nodes if node["Node Type"] == "Seq Scan" and _ran(node)}
    return Explained(
        sql=" ".join(sql.split()),
        indexes=sorted({node["Index Name"] for node in nodes if "Index Name" in node and _ran(node)}),
        scanned=sorted(name for name in scanned if large.get(name, 0) > SMALL),
        # What a statement writes it need not return.
        rows=max(int(node["Actual Rows"]) for node in (plan, *plan.get("Plans", ()))),
        buffers=plan["Shared Hit Blocks"] + plan["Shared Read Blocks"],
        milliseconds=found[0]["Execution Time"],
    )


def _ran(node: Mapping[str, Any]) -> bool:
    return bool(node.get("Actual Loops", 0))


def _nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from _nodes(inner)

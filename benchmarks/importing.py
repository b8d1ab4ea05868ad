"""Import: a file of customers, beside a bare COPY of the same lines."""

import csv
import tempfile
from pathlib import Path

from benchmarks.figures import Figure, in_turns, rate, seconds
from benchmarks.floor import HOURS, NOON
from calling import register
from calling.intake.importing import import_file
from wiring.app import App

HEADER = ("customer id", "name", "phone", "age", "balance", "job", "city", "since", "loan")


def measure(app: App, rows: int, rounds: int = 1) -> list[Figure]:
    """Rows a second, zones and all; and the same file again, which changes nothing."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "customers.csv"
        _write(path, rows)
        with app.shared() as session:
            crm_id = register.add_crm(session, "Benchmark", "import", now=NOON, region="PT", hours=HOURS)
        open_work = app.opener(crm_id, now=NOON)
        first = [seconds(lambda: import_file(open_work, path, region="PT"))]
        again, bare = in_turns(
            lambda: import_file(open_work, path, region="PT"), lambda: _copy(app, crm_id, path), rounds
        )
    limit = "COPY of the same lines, primary key and nothing else"
    return [rate("import", rows, first, bare, limit), rate("import again", rows, again, bare, limit)]


def _write(path: Path, rows: int) -> None:
    jobs = ("student", "retired", "services", "management", "technician")
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(
            (f"c{i}", f"Customer {i}", f"9{10_000_000 + i * 7919 % 29_999_999:08d}"[:9], 18 + i % 70,
             i * 7919 % 20_000 - 2_000, jobs[i % 5], "Porto", f"20{i % 25:02}-03-0{i % 9 + 1}", i % 7 == 0)
            for i in range(1, rows + 1)
        )  # fmt: skip


def _copy(app: App, crm_id: int, path: Path) -> None:
    columns = ", ".join(f'"{name}" text' for name in HEADER)
    with app.work(crm_id, now=NOON) as work:
        raw = work.session.connection().connection.driver_connection
        assert raw is not None
        raw.execute(f'create temp table bare ({columns}, primary key ("customer id")) on commit drop')
        with (
            raw.cursor().copy("copy bare from stdin with (format csv, header true)") as copy,
            path.open("rb") as file,
        ):
            while block := file.read(1 << 20):
                copy.write(block)

"""Reading: pages of a log of 100,000,000 lines, a search through 1 GB, and what a trigger feels of that."""

from __future__ import annotations

import json
import random
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Any

from bench.figures import Bar, Better, Line, Unit, median, percentile
from bench.load import drive, post

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from bench.rota import Rota
    from bench.server import Server
    from bench.setting import Setting

_MB = 1_000_000
_FIRST = 100_000_000  # so that every line has the same length: ten bytes
_TAIL = 200
_PAGE = 500
_NEEDLE = "order 7919 refused"  # it is in one line of each block
_TWICE = "yy"  # every byte of `yes` could begin it, and none does
_CONFIG = """
[tasks.noop]
run = "true"

[tasks.long]
run = "seq {first} {last}"
log_max_size = "2GB"

[tasks.real]
run = "for turn in $(seq {blocks}); do cat {block}; done"
log_max_size = "2GB"

[tasks.yes]
run = "yes | head -c {yes}"
log_max_size = "2GB"
"""


def measure(setting: Setting) -> list[Line]:
    """RunWisp needs minutes to write 1 GB, so its logs are smaller; of a search, rates are compared."""
    rounds, size, peer_size = (2, 100 * _MB, 2 * _MB) if setting.quick else (5, 1000 * _MB, 20 * _MB)
    setting.folder.joinpath("reading").mkdir()
    block = setting.folder / "reading" / "block"
    block.write_bytes(_realistic())
    configs = [_config(block, each) for each in (size, peer_size)]
    with setting.both("reading", *configs) as servers:
        logs = [_Logs(setting, server) for server in servers if server is not None]
        lines, peer_lines = size // 10, peer_size // 10
        about = f"{size // _MB:,} MB, {lines:,} lines (RunWisp: {peer_lines:,})"
        setting.say(f"reading: {about}")
        pages = _pages(logs, [lines, peer_lines], 20 if setting.quick else 100)
        searches: dict[str, dict[str, list[float]]] = {"real": {}, "yes": {}}
        for turn in range(1, rounds + 1):
            setting.say(f"reading: search {turn} of {rounds}")
            for task, needle in (("real", _NEEDLE), ("yes", _TWICE)):
                _search_in_turn(logs, task, needle, searches[task])
        triggers = _triggers(setting, servers[0], rounds)
    return [
        _page_line(f"the last {_TAIL} lines of {about}", pages["tail"], under=20),
        _page_line(f"the same: {_PAGE} lines somewhere in it", pages["page"], under=30),
        Line(
            name="the same: lines told, less lines written",
            unit=Unit.COUNT,
            rota=pages["wrong"]["Rota"],
            runwisp=pages["wrong"].get("RunWisp"),
            bar=Bar(value=0, better=Better.LESS),
        ),
        _search_line(f"literal search, {size // _MB:,} MB of realistic lines", searches["real"], part=1 / 2),
        _search_line(f"literal search, {size // _MB:,} MB of `yes`", searches["yes"], part=1 / 5),
        Line(
            name="a trigger meanwhile, p99 (floor: while idle)",
            unit=Unit.MS,
            rota=triggers["searching"],
            floor=triggers["idle"],
            bar=Bar(value=2, better=Better.LESS, of_floor=True, strict=True),
        ),
    ]


def _config(block: Path, size: int) -> str:
    return _CONFIG.format(
        first=_FIRST,
        last=_FIRST + size // 10 - 1,
        block=block,
        blocks=size // block.stat().st_size,
        yes=size,
    )


def _realistic() -> bytes:
    """A MB of lines such as services write, no two of them alike."""
    words = random.Random(3)
    lines: list[str] = []
    size = 0
    while size < _MB:
        number = len(lines)
        said = (
            f"2026-11-22T20:36:{number // 1000 % 60:02}.{number % 1000:03}Z "
            f"{words.choice(('INFO', 'INFO', 'INFO', 'WARN', 'ERROR'))} "
            f"shop.{words.choice(('cart', 'orders', 'mail', 'stock'))}[{words.randrange(1000, 9999)}] "
            f"order {number} {words.choice(('accepted', 'paid', 'sent', 'returned'))} "
            f"by customer {words.randrange(1_000_000)} in {words.uniform(1, 900):.1f} ms"
        )
        lines.append(said)
        size += len(said) + 1
    lines[len(lines) // 2] = f"2026-11-22T20:36:30.000Z ERROR shop.orders[1234] {_NEEDLE}: no such customer"
    return ("\n".join(lines) + "\n").encode()


class _Logs:
    """A server with its three logs."""

    def __init__(self, setting: Setting, server: Server) -> None:
        setting.say(f"reading: {server.name} writes its logs")
        self.server = server
        self.runs: dict[str, str] = {}
        self.files: dict[str, Path] = {}
        for task in ("long", "real", "yes"):
            before = set(server.log_files)
            self.runs[task] = server.run(task)
            (self.files[task],) = set(server.log_files) - before

    def asked(self, path: str) -> tuple[float, Any]:
        """Seconds, and the answer."""
        begun = time.perf_counter()
        body = self.server.get(path)
        return time.perf_counter() - begun, json.loads(body)


def _pages(logs: Sequence[_Logs], lines: Sequence[int], count: int) -> dict[str, dict[str, float]]:
    """Median milliseconds of each kind of page by server, and by how much `total_lines` is wrong."""
    found: dict[str, dict[str, float]] = {"tail": {}, "page": {}, "wrong": {}}
    for each, total in zip(logs, lines, strict=False):
        server, run_id, places = each.server, each.runs["long"], random.Random(7)
        tails = [each.asked(server.tail_path(run_id, _TAIL)) for _ in range(count)]
        pages = [
            each.asked(server.page_path(run_id, places.randrange(total // 4, total // 4 * 3), _PAGE))
            for _ in range(count)
        ]
        for kind, answers, expected in (("tail", tails, _TAIL), ("page", pages, _PAGE)):
            got = {len(answer["lines"]) for _, answer in answers}
            if got != {expected}:
                raise RuntimeError(f"{server.name} answered {got} lines, not {expected}")
            found[kind][server.name] = 1000 * median([taken for taken, _ in answers])
        found["wrong"][server.name] = abs(server.total_lines(tails[0][1]) - total)
    return found


def _search_in_turn(logs: Sequence[_Logs], task: str, needle: str, rates: dict[str, list[float]]) -> None:
    """MB a second of each server and of `grep`, which must find as much."""
    for each in logs:
        file = each.files[task]
        size = file.stat().st_size / _MB
        begun = time.perf_counter()
        counted = _grep(needle, file)
        taken = time.perf_counter() - begun
        if each is logs[0]:
            rates.setdefault("floor", []).append(size / taken)
        taken, answer = each.asked(each.server.search_path(task, needle))
        found = each.server.matches(answer)
        if found != min(counted, 1000):
            raise RuntimeError(f"{each.server.name} found {found} lines, grep {counted}")
        rates.setdefault(each.server.name, []).append(size / taken)


def _grep(needle: str, file: Path) -> int:
    done = subprocess.run(["grep", "-c", "-F", needle, file], capture_output=True, text=True, check=False)
    return int(done.stdout)


def _triggers(setting: Setting, rota: Rota, rounds: int) -> dict[str, float]:
    """Milliseconds at the 99th percentile, while idle and while one search follows the other."""
    request = post(rota.run_path("noop"))
    figures: dict[str, list[float]] = {"idle": [], "searching": []}
    seconds = 3.0 if setting.quick else 8.0
    for turn in range(1, rounds + 1):
        setting.say(f"reading: triggers {turn} of {rounds}")
        for name, busy in (
            ("idle", None),
            ("searching", lambda: rota.get(rota.search_path("real", _NEEDLE))),
        ):
            with _Beside(busy):
                burst = drive(rota.socket, request, clients=1, seconds=seconds)
            figures[name].append(percentile(burst.latencies, 0.99))
    return {name: 1000 * median(each) for name, each in figures.items()}


class _Beside:
    """Does something over and over beside what is measured."""

    def __init__(self, do: Callable[[], object] | None) -> None:
        self._do = do
        self._enough = threading.Event()
        self._fault: Exception | None = None
        self._thread = threading.Thread(target=self._over_and_over)

    def _over_and_over(self) -> None:
        while self._do is not None and not self._enough.is_set():
            try:
                self._do()
            except Exception as fault:
                self._fault = fault
                return

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        self._thread.join()
        if self._fault is not None:
            raise self._fault


def _page_line(name: str, figures: Mapping[str, float], *, under: float) -> Line:
    return Line(
        name=name,
        unit=Unit.MS,
        rota=figures["Rota"],
        runwisp=figures.get("RunWisp"),
        bar=Bar(value=under, better=Better.LESS, strict=True),
    )


def _search_line(name: str, rates: Mapping[str, Sequence[float]], *, part: float) -> Line:
    figures = {server: median(each) for server, each in rates.items()}
    return Line(
        name=name,
        unit=Unit.MB_RATE,
        rota=figures["Rota"],
        runwisp=figures.get("RunWisp"),
        floor=figures["floor"],
        bar=Bar(value=part, better=Better.MORE, of_floor=True),
    )

"""Round trips and messages per second of tightbeam, pyzmq and pyomq, side by side.

    python benchmarks/bench.py            seven rounds, some minutes
    python benchmarks/bench.py --quick    fewer messages, three rounds
    python benchmarks/bench.py --help     the rest

Each run is two processes with a core each, or two threads of one process. The contenders take turns, so that whatever
else the machine does hits all of them. Those that are not installed are left out.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import importlib.metadata
import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import threading
import time
from typing import Any, NamedTuple

MODULES = {"tightbeam": "tightbeam", "pyzmq": "zmq", "pyomq": "pyomq"}
# A run that takes longer has hung.
LIMIT_S = 120


class Work(NamedTuple):
    """What is measured, and how much of it."""

    api: str
    kind: str
    size: int
    count: int

    @property
    def name(self) -> str:
        size = f"{self.size} B" if self.size < 1024 else f"{self.size // 1024} KiB"
        return f"{self.api}, {KINDS[self.kind]}, {size}"


KINDS = {"trips": "round trips/s", "stream": "messages/s"}
WORKS = [
    Work("sync", "trips", 64, 20_000),
    Work("sync", "trips", 65_536, 5_000),
    Work("sync", "stream", 64, 500_000),
    Work("sync", "stream", 65_536, 20_000),
    Work("asyncio", "trips", 64, 10_000),
    Work("asyncio", "trips", 65_536, 4_000),
    Work("asyncio", "stream", 64, 100_000),
    Work("asyncio", "stream", 65_536, 20_000),
    Work("threads", "trips", 64, 10_000),
    Work("threads", "stream", 64, 200_000),
]


# One end of a run


def measured(work: Work, seconds: float, begun: float) -> None:
    """Says how many messages or round trips a second there were, and the CPU time of this process for a million."""
    cpu_s = (time.process_time() - begun) / (work.count + warm_up(work)) * 1e6
    print(json.dumps({"rate": work.count / seconds, "cpu_s": cpu_s}), flush=True)


def warm_up(work: Work) -> int:
    return work.count // 10


def answer(socket: Any, work: Work) -> float:
    for _ in range(work.count + warm_up(work)):
        socket.send(socket.recv())
    return 1.0


def ask(socket: Any, work: Work) -> float:
    body = bytes(work.size)
    for left in reversed(range(work.count + warm_up(work))):
        if left == work.count - 1:
            begun = time.perf_counter()
        socket.send(body)
        socket.recv()
    return time.perf_counter() - begun


def receive(socket: Any, work: Work) -> float:
    for _ in range(warm_up(work)):
        socket.recv()
    begun = time.perf_counter()
    for _ in range(work.count):
        socket.recv()
    return time.perf_counter() - begun


def send(socket: Any, work: Work) -> float:
    body = bytes(work.size)
    for _ in range(work.count + warm_up(work)):
        socket.send(body)
    return 1.0


async def answer_async(socket: Any, work: Work) -> float:
    for _ in range(work.count + warm_up(work)):
        await socket.send(await socket.recv())
    return 1.0


async def ask_async(socket: Any, work: Work) -> float:
    body = bytes(work.size)
    for left in reversed(range(work.count + warm_up(work))):
        if left == work.count - 1:
            begun = time.perf_counter()
        await socket.send(body)
        await socket.recv()
    return time.perf_counter() - begun


async def receive_async(socket: Any, work: Work) -> float:
    for _ in range(warm_up(work)):
        await socket.recv()
    begun = time.perf_counter()
    for _ in range(work.count):
        await socket.recv()
    return time.perf_counter() - begun


async def send_async(socket: Any, work: Work) -> float:
    body = bytes(work.size)
    for _ in range(work.count + warm_up(work)):
        await socket.send(body)
    return 1.0


# By kind: the types of the two sockets and what is done with them, first that whose answer counts.
ROLES = {
    "trips": (("REQ", ask, ask_async), ("REP", answer, answer_async)),
    "stream": (("PULL", receive, receive_async), ("PUSH", send, send_async)),
}


def one_end(module: str, work: Work, counts: bool, endpoint: str) -> None:
    zmq = importlib.import_module(module)
    kind, run, run_async = ROLES[work.kind][0 if counts else 1]
    if work.api == "asyncio":
        asyncio.run(one_end_async(module, getattr(zmq, kind), work, run_async, counts, endpoint))
        return
    socket = zmq.Context().socket(getattr(zmq, kind))
    join(socket, counts, endpoint)
    begun = time.process_time()
    measured(work, run(socket, work), begun)
    finish()


async def one_end_async(
    module: str, kind: Any, work: Work, run: Any, counts: bool, endpoint: str
) -> None:
    socket = importlib.import_module(f"{module}.asyncio").Context().socket(kind)
    join(socket, counts, endpoint)
    begun = time.process_time()
    seconds = await run(socket, work)
    measured(work, seconds, begun)
    finish()


def join(socket: Any, binds: bool, endpoint: str) -> None:
    if binds:
        socket.bind(endpoint)
        print("READY", flush=True)
    else:
        socket.connect(endpoint)


def finish() -> None:
    """Keeps what was sent until the other end has it."""
    sys.stdin.read()
    # Contexts of every contender end in their own way, and in their own time.
    os._exit(0)


def both_ends(module: str, work: Work) -> None:
    zmq = importlib.import_module(module)
    context = zmq.Context()
    ends = [context.socket(zmq.PAIR), context.socket(zmq.PAIR)]
    ends[0].bind("inproc://bench")
    ends[1].connect("inproc://bench")
    (_, run, _), (_, other, _) = ROLES[work.kind]
    begun = time.process_time()
    threading.Thread(target=other, args=(ends[1], work), daemon=True).start()
    measured(work, run(ends[0], work), begun)
    finish()


# Rounds


class Result(NamedTuple):
    rate: float
    cpu_s: float


def start(contender: str, work: Work, end: str, core: int | None, endpoint: str) -> Any:
    arguments = [MODULES[contender], *map(str, work), end, endpoint]
    return subprocess.Popen(
        [sys.executable, __file__, "--end", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=None if core is None else lambda: os.sched_setaffinity(0, {core}),
    )


def run_once(contender: str, work: Work, cores: list[int]) -> Result:
    if work.api == "threads":
        processes = [start(contender, work, "both", None, "")]
    else:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            endpoint = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        processes = [start(contender, work, "first", cores[0], endpoint)]
    watchdog = threading.Timer(LIMIT_S, lambda: [process.kill() for process in processes])
    watchdog.start()
    try:
        if work.api != "threads":
            processes[0].stdout.readline()
            processes.append(start(contender, work, "second", cores[-1], endpoint))
        said = [json.loads(process.stdout.readline()) for process in processes]
    finally:
        watchdog.cancel()
        for process in processes:
            process.kill()
            process.communicate()
    return Result(said[0]["rate"], sum(one["cpu_s"] for one in said))


def compare(works: list[Work], contenders: list[str], rounds: int) -> dict[Work, dict[str, list[Result]]]:
    cores = sorted(os.sched_getaffinity(0))[:2]
    results: dict[Work, dict[str, list[Result]]] = {
        work: {contender: [] for contender in contenders} for work in works
    }
    for turn in range(rounds):
        print(f"round {turn + 1} of {rounds}", file=sys.stderr)
        for work in works:
            for contender in contenders:
                try:
                    results[work][contender].append(run_once(contender, work, cores))
                except (ValueError, OSError):
                    print(f"{contender} did not end: {work.name}", file=sys.stderr)
    return results


# Tables


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def spread(values: list[float]) -> str:
    if not values:
        return "-"
    return f"{number(statistics.median(values))} ({number(min(values))} - {number(max(values))})"


def table(results: dict[Work, dict[str, list[Result]]], contenders: list[str]) -> str:
    """Medians with the least and the most, and how often the first contender's is the others'."""
    first, *others = contenders
    heads = ["", *contenders, *(f"to {other}" for other in others), *(f"CPU of {other}" for other in others)]
    lines = [heads, ["---"] * len(heads)]
    for work, by_contender in results.items():
        line = [work.name, *(spread([one.rate for one in by_contender[name]]) for name in contenders)]
        for what in ("rate", "cpu_s"):
            for other in others:
                pair = [[getattr(one, what) for one in by_contender[name]] for name in (first, other)]
                ratio = statistics.median(pair[0]) / statistics.median(pair[1]) if all(pair) else None
                line.append("-" if ratio is None else f"{ratio:.2f}x")
        lines.append(line)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def installed() -> dict[str, str]:
    """The contenders and their versions."""
    versions = {}
    for contender in MODULES:
        try:
            versions[contender] = importlib.metadata.version(contender)
        except importlib.metadata.PackageNotFoundError:
            print(f"{contender} is not installed", file=sys.stderr)
    return versions


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a fifth of the messages, three rounds")
    parser.add_argument("--rounds", type=int, help="rounds (7, or 3 with --quick)")
    parser.add_argument("--only", default="", help="only what has this in its name, such as asyncio or 64 B")
    parser.add_argument("--contenders", help="only these, the first compared with the others", metavar="A,B")
    options = parser.parse_args()
    versions = installed()
    contenders = options.contenders.split(",") if options.contenders else list(versions)
    works = [work for work in WORKS if options.only in work.name]
    if options.quick:
        works = [work._replace(count=work.count // 5) for work in works]
    rounds = options.rounds or (3 if options.quick else 7)
    named = ", ".join(f"{name} {versions[name]}" for name in contenders)
    print(f"{platform.python_implementation()} {platform.python_version()}, {named}; {os.cpu_count()} cores\n")
    print(table(compare(works, contenders, rounds), contenders))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--end"]:
        module, api, kind, size, count, end, endpoint = sys.argv[2:]
        work = Work(api, kind, int(size), int(count))
        if end == "both":
            both_ends(module, work)
        else:
            one_end(module, work, end == "first", endpoint)
    else:
        main()

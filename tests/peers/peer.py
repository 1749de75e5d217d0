#!/usr/bin/env python3
"""A peer on pyzmq. README.md in this directory says what it does."""

import argparse
import json
import select
import sys
import time
import zlib

import zmq

HELLO = b"\xff\xff"
PUB_SUB = ("pub", "sub", "xpub", "xsub")
ONLY_FIRST_SUBSCRIBE = 108
ROLES = {
    "echo": ("rep", "router", "dealer", "pair"),
    "ask": ("req", "dealer", "router", "pair"),
    "source": ("push", "pub", "dealer", "router", "pair", "xpub", "xsub"),
    "sink": ("pull", "sub", "router", "dealer", "pair", "xsub", "xpub"),
}


class Failure(Exception):
    """The peer on the other side, or the library, did not do what it should."""


def parse(argv):
    parser = argparse.ArgumentParser(prog="peer")
    parser.add_argument("role", choices=ROLES)
    parser.add_argument("type")
    parser.add_argument("endpoint")
    side = parser.add_mutually_exclusive_group()
    side.add_argument("--bind", action="store_true")
    side.add_argument("--connect", action="store_true")
    parser.add_argument("--count", type=int)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--parts", type=int, default=1)
    parser.add_argument("--lines")
    parser.add_argument("--show", type=int, default=0)
    parser.add_argument("--id")
    parser.add_argument("--to")
    parser.add_argument("--envelope", action="store_true")
    parser.add_argument("--sub", action="append")
    parser.add_argument("--topic", action="append", default=[])
    parser.add_argument("--any-order", action="store_true")
    parser.add_argument("--hwm", type=int)
    parser.add_argument("--linger", type=int)
    parser.add_argument("--timeout", type=int, default=30000)
    parser.add_argument("--heartbeat", type=int, default=0)
    options = parser.parse_args(argv)
    if options.type not in ROLES[options.role]:
        parser.error(f"{options.role} is for {', '.join(ROLES[options.role])}")
    if not 0 <= options.size <= 100_000_000 or not 1 <= options.parts <= 1000:
        parser.error("--size is 0 to 100000000, --parts 1 to 1000")
    if any(options.sub or []) and not options.topic:
        parser.error("--sub needs --topic")
    if not options.bind and not options.connect:
        options.bind = options.role in ("echo", "sink")
    if options.linger is None:
        options.linger = 0 if options.role == "sink" else -1
    options.sub = [prefix.encode() for prefix in options.sub or [""]]
    options.topic = [topic.encode() for topic in options.topic]
    return options


class Content:
    """What message i consists of."""

    def __init__(self, options):
        self.parts = options.parts
        self.size = options.size
        self.lines = None
        if options.lines:
            with open(options.lines, "rb") as file:
                self.lines = file.read().removesuffix(b"\n").split(b"\n")
        else:
            self.pattern = (bytes(range(256)) * (self.size // 256 + 2))[: self.size + 255]
        if options.count is None:
            options.count = len(self.lines) if self.lines else 1

    def window(self, start):
        start &= 0xFF
        return self.pattern[start : start + self.size]

    def message(self, i):
        if self.lines:
            return [self.lines[i % len(self.lines)]]
        return [self.window(31 * i + 7 * p) for p in range(self.parts)]

    def fits_some(self, parts):
        if self.lines:
            return len(parts) == 1
        base = parts[0][0] if parts and parts[0] else 0
        return parts == [self.window(base + 7 * p) for p in range(self.parts)]


class Peer:
    def __init__(self, options):
        self.options = options
        self.content = Content(options)
        self.count = 0
        self.bytes = 0
        self.checksum = 1
        self.shown = 0
        self.started = None
        self.ended = None
        self.round_trips = []
        self.context = zmq.Context()
        self.socket = self.context.socket(getattr(zmq, options.type.upper()))
        self.configure()

    def configure(self):
        options, socket = self.options, self.socket
        socket.linger = options.linger
        socket.rcvtimeo = socket.sndtimeo = options.timeout
        if options.hwm is not None:
            socket.sndhwm = socket.rcvhwm = options.hwm
        if options.heartbeat:
            socket.heartbeat_ivl = options.heartbeat
        if options.id:
            socket.setsockopt(zmq.ROUTING_ID, options.id.encode())
        if options.to:
            socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
        if options.type in ("xpub", "xsub"):
            socket.setsockopt(ONLY_FIRST_SUBSCRIBE, 1)
        for prefix in options.sub:
            if options.type == "sub":
                socket.setsockopt(zmq.SUBSCRIBE, prefix)
            elif options.type == "xsub":
                socket.send(b"\1" + prefix)
        (socket.bind if options.bind else socket.connect)(options.endpoint)
        say("READY " + socket.getsockopt(zmq.LAST_ENDPOINT).rstrip(b"\0").decode())

    def account(self, parts, arrow):
        now = time.perf_counter()
        self.ended = now
        if self.started is None:
            self.started = now
        if self.shown < self.options.show:
            self.shown += 1
            say(f"SAID {arrow} {printable(parts[0])}")
        for part in parts:
            self.bytes += len(part)
            self.checksum = zlib.adler32(part, self.checksum)

    def prefix(self, i):
        options = self.options
        frames = [options.to.encode()] if options.to else []
        if options.envelope:
            frames.append(b"")
        if options.topic:
            frames.append(options.topic[i % len(options.topic)])
        return frames

    def send(self, frames):
        deadline = time.monotonic() + self.options.timeout / 1000
        while True:
            try:
                self.socket.send_multipart(frames)
                return
            except zmq.ZMQError as error:
                if error.errno != zmq.EHOSTUNREACH or time.monotonic() > deadline:
                    raise Failure(f"send of message {self.count}: {error}") from error
                time.sleep(0.01)

    def receive(self):
        try:
            return self.socket.recv_multipart()
        except zmq.ZMQError as error:
            raise Failure(f"receive of message {self.count}: {error}") from error

    def echo(self):
        skip = 1 if self.options.type == "router" else 0
        while self.options.count == 0 or self.count < self.options.count:
            frames = self.receive()
            self.account(frames[skip:], "<-")
            self.send(frames)
            self.count += 1

    def ask(self):
        self.started = time.perf_counter()
        for i in range(self.options.count):
            frames = self.prefix(i) + self.content.message(i)
            before = time.perf_counter()
            self.send(frames)
            reply = self.receive()
            self.round_trips.append(time.perf_counter() - before)
            if reply != frames:
                raise Failure(f"reply {i} differs: {describe(reply)} for {describe(frames)}")
            self.account(reply[len(self.prefix(i)) :], "->")
            self.count += 1

    def source(self):
        if self.options.type in PUB_SUB:
            self.greet()
        self.started = time.perf_counter()
        for i in range(self.options.count):
            parts = self.content.message(i)
            self.send(self.prefix(i) + parts)
            self.account(parts, "->")
            self.count += 1

    def greet(self):
        hellos = [[topic, HELLO] for topic in self.options.topic] or [[HELLO]]
        while not select.select([sys.stdin], [], [], 0.01)[0]:
            for hello in hellos:
                self.send(hello)
        sys.stdin.readline()

    def sink(self):
        expected = {}
        synced = False
        while self.count < self.options.count:
            frames = self.receive()
            if self.options.type == "xpub" and len(frames) == 1:
                continue  # a subscription
            if self.options.type in PUB_SUB and frames[-1] == HELLO:
                if not synced:
                    say("SYNC")
                synced = True
                continue
            routing_id = frames.pop(0) if self.options.type == "router" else b""
            i = self.passing(expected.get(routing_id, 0))
            expected[routing_id] = i + 1
            prefix = self.prefix(i)
            parts = frames[len(prefix) :]
            if self.options.any_order:
                right = self.content.fits_some(parts)
            else:
                right = frames[: len(prefix)] == prefix and parts == self.content.message(i)
            if not right:
                raise Failure(f"message {self.count} is not message {i}: {describe(frames)}")
            self.account(parts, "<-")
            self.count += 1

    def passing(self, i):
        """The first message from i on that passes the subscriptions."""
        topics = self.options.topic
        if self.options.type not in ("sub", "xsub") or not topics:
            return i
        for k in range(i, i + len(topics)):
            if any(topics[k % len(topics)].startswith(prefix) for prefix in self.options.sub):
                return k
        raise Failure("no topic passes the subscriptions")

    def close(self):
        self.socket.close()
        self.context.term()

    def report(self, error):
        result = {
            "ok": error is None,
            "language": "python",
            "role": self.options.role,
            "type": self.options.type,
            "count": self.count,
            "bytes": self.bytes,
            "checksum": self.checksum,
            "seconds": round((self.ended or 0) - (self.started or 0), 6) if self.ended else 0,
        }
        if error is not None:
            result["error"] = error
        elif self.round_trips:
            sorted_us = sorted(seconds * 1e6 for seconds in self.round_trips)
            n = len(sorted_us)
            result["p50_us"] = round(sorted_us[n * 50 // 100], 2)
            result["p99_us"] = round(sorted_us[n * 99 // 100], 2)
            result["max_us"] = round(sorted_us[-1], 2)
        say(json.dumps(result))


def say(line):
    print(line, flush=True)


def printable(part):
    return "".join(chr(b) if 0x20 <= b <= 0x7E else f"\\x{b:02x}" for b in part[:72])


def describe(frames):
    shown = ", ".join(f"{len(frame)} B '{printable(frame[:16])}'" for frame in frames[:4])
    return f"[{shown}]" if len(frames) <= 4 else f"[{shown}, ... {len(frames)} frames]"


def main():
    options = parse(sys.argv[1:])
    peer = None
    try:
        peer = Peer(options)
        getattr(peer, options.role)()
    except (Failure, zmq.ZMQError, OSError) as error:
        if peer is None:
            say(json.dumps({"ok": False, "language": "python", "error": str(error)}))
        else:
            peer.report(str(error))
            peer.socket.close(linger=0)
        return 1
    peer.close()
    peer.report(None)
    return 0


if __name__ == "__main__":
    sys.exit(main())

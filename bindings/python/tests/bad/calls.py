"""Calls everything with one wrong argument after the other, and prints what comes of it: a line for each call.

    python calls.py zmq|tightbeam [FIRST]     from the call with this number on

The caller starts it again behind a call that ended the process.
"""

import array
import importlib
import json
import signal
import sys
import warnings

warnings.simplefilter("ignore")
zmq = importlib.import_module(sys.argv[1])
FIRST = int(sys.argv[2]) if len(sys.argv) > 2 else 0


class Raises:
    """Fails in whatever way it is used."""

    def __index__(self):
        raise LookupError("index")

    __int__ = __float__ = __len__ = __iter__ = __bool__ = __hash__ = __str__ = __fspath__ = __index__

    def __eq__(self, other):
        raise LookupError("eq")


class Index:
    """A number by `__index__` only."""

    def __index__(self):
        return 3


class Fileno:
    """What has `fileno()`, and answers `value`."""

    def __init__(self, value):
        self.value = value

    def fileno(self):
        return self.value


def values(world):
    """Wrong arguments, by name."""
    return {
        "None": None,
        "0": 0,
        "-1": -1,
        "2**31": 2**31,
        "-2**31-1": -(2**31) - 1,
        "2**63": 2**63,
        "2**100": 2**100,
        "1.5": 1.5,
        "nan": float("nan"),
        "inf": float("inf"),
        "str": "x",
        "long": "x" * 100_000,
        "surrogate": "\ud800",
        "nul": "a\0b",
        "empty": "",
        "bytes": b"x",
        "bytes-utf8": b"\xff\xfe",
        "no-bytes": b"",
        "list": [],
        "dict": {},
        "bad-parts": [b"a", "b"],
        "object": object(),
        "raises": Raises(),
        "index": Index(),
        "array": array.array("i", [1, 2]),
        "strided": memoryview(b"abcdef")[::2],
        "released": released(),
        "socket": world.socket,
        "closed": world.closed,
        "context": world.context,
        "ended": world.ended,
        "frame": zmq.Frame(b"x"),
        "fileno": Fileno(0),
        "fileno-text": Fileno("x"),
        "fileno-big": Fileno(2**40),
    }


def released():
    view = memoryview(b"abc")
    view.release()
    return view


class World:
    """Two sockets that are joined, with messages waiting in both, a closed socket and an ended context."""

    def __init__(self):
        self.context = zmq.Context()
        self.socket, self.peer = self.context.socket(zmq.PAIR), self.context.socket(zmq.PAIR)
        self.socket.bind("inproc://pair")
        self.peer.connect("inproc://pair")
        for socket in (self.socket, self.peer):
            socket.linger = 0
            for _ in range(3):
                socket.send_multipart([b"one", b"two"])
        self.closed = self.context.socket(zmq.PULL)
        self.closed.close()
        self.ended = zmq.Context()
        self.ended.term()
        self.frame = zmq.Frame(b"frame")
        self.tracker = zmq.MessageTracker()
        self.poller = zmq.Poller()
        self.poller.register(self.socket, zmq.POLLIN)
        self.opened = []

    def end(self):
        for socket in self.opened:
            socket.close(0)
        self.context.destroy(0)


# What is called: a way to it, and arguments that are right, of which one after the other is replaced.
CALLS = {
    "Context": (lambda w: zmq.Context, [1]),
    "Context.shadow": (lambda w: zmq.Context.shadow, [0]),
    "Socket": (lambda w: zmq.Socket, ["context", zmq.PUB]),
    "Socket.shadow": (lambda w: zmq.Socket.shadow, [0]),
    "Frame": (lambda w: zmq.Frame, [b"x", False, True, 3]),
    "MessageTracker": (lambda w: zmq.MessageTracker, [zmq.Frame(b"x", track=True)]),
    "context.socket": (lambda w: w.context.socket, [zmq.PUB]),
    "context.get": (lambda w: w.context.get, [zmq.MAX_SOCKETS]),
    "context.set": (lambda w: w.context.set, [zmq.MAX_SOCKETS, 10]),
    "context.setattr": (lambda w: lambda value: setattr(w.context, "max_sockets", value), [10]),
    "ended.socket": (lambda w: w.ended.socket, [zmq.PUB]),
    "ended.get": (lambda w: w.ended.get, [zmq.MAX_SOCKETS]),
    "bind": (lambda w: w.socket.bind, ["inproc://other"]),
    "connect": (lambda w: w.peer.connect, ["inproc://third"]),
    "unbind": (lambda w: w.socket.unbind, ["inproc://pair"]),
    "disconnect": (lambda w: w.socket.disconnect, ["inproc://nowhere"]),
    "bind_to_random_port": (lambda w: w.socket.bind_to_random_port, ["tcp://127.0.0.1"]),
    "monitor": (lambda w: w.socket.monitor, ["inproc://monitor", 1]),
    "send": (lambda w: w.socket.send, [b"x", 0, True, False]),
    "send-lent": (lambda w: lambda data: w.socket.send(data, copy=False, track=True), [b"x"]),
    "send-more": (lambda w: lambda data: w.socket.send(data, zmq.SNDMORE), [b"x"]),
    "send_multipart": (lambda w: w.socket.send_multipart, [[b"x"], 0, True, False]),
    "send_multipart-part": (lambda w: lambda part: w.socket.send_multipart([b"x", part]), [b"x"]),
    "send_multipart-lent": (lambda w: lambda part: w.socket.send_multipart([part], copy=False), [b"x"]),
    "send_string": (lambda w: w.socket.send_string, ["x", 0, True, "utf-8"]),
    "send_json": (lambda w: w.socket.send_json, [{"a": 1}, 0]),
    "recv": (lambda w: w.socket.recv, [0, True, False]),
    "recv_multipart": (lambda w: w.socket.recv_multipart, [0, True, False]),
    "recv_into": (lambda w: w.socket.recv_into, [bytearray(8)]),
    "recv_into-nbytes": (lambda w: lambda nbytes: w.socket.recv_into(bytearray(8), nbytes=nbytes), [2]),
    "recv_into-flags": (lambda w: lambda flags: w.socket.recv_into(bytearray(8), flags=flags), [0]),
    "recv_string": (lambda w: w.socket.recv_string, [0, "utf-8"]),
    "recv_serialized": (lambda w: w.socket.recv_serialized, [len]),
    "poll": (lambda w: w.socket.poll, [0, zmq.POLLIN]),
    "get": (lambda w: w.socket.get, [zmq.LINGER]),
    "get_string": (lambda w: w.socket.get_string, [zmq.LAST_ENDPOINT, "utf-8"]),
    "set-int": (lambda w: w.socket.set, [zmq.LINGER, 0]),
    "set-int64": (lambda w: w.socket.set, [zmq.MAXMSGSIZE, 0]),
    "set-uint64": (lambda w: w.socket.set, [zmq.AFFINITY, 0]),
    "set-bytes": (lambda w: w.socket.set, [zmq.IDENTITY, b"x"]),
    "set-text": (lambda w: w.socket.set, [zmq.PLAIN_USERNAME, b"x"]),
    "set-key": (lambda w: w.socket.set, [zmq.CURVE_SERVERKEY, b"x" * 40]),
    "set_string": (lambda w: w.socket.set_string, [zmq.PLAIN_USERNAME, "x", "utf-8"]),
    "set_hwm": (lambda w: w.socket.set_hwm, [3]),
    "setattr": (lambda w: lambda value: setattr(w.socket, "sndhwm", value), [3]),
    "subscribe": (lambda w: opened(w, zmq.SUB).subscribe, [b"x"]),
    "subscribe-attribute": (lambda w: lambda value: setattr(opened(w, zmq.SUB), "subscribe", value), [b"x"]),
    "close": (lambda w: w.socket.close, [0]),
    "copy_threshold": (lambda w: lambda value: setattr(w.socket, "copy_threshold", value), [3]),
    "closed.send": (lambda w: w.closed.send, [b"x"]),
    "closed.recv": (lambda w: w.closed.recv, [0]),
    "closed.send_multipart": (lambda w: w.closed.send_multipart, [[b"x"]]),
    "closed.get": (lambda w: w.closed.get, [zmq.LINGER]),
    "closed.set": (lambda w: w.closed.set, [zmq.LINGER, 0]),
    "closed.bind": (lambda w: w.closed.bind, ["inproc://x"]),
    "closed.poll": (lambda w: w.closed.poll, [0]),
    "closed.monitor": (lambda w: w.closed.monitor, ["inproc://x"]),
    "frame.get": (lambda w: w.frame.get, [zmq.MORE]),
    "frame.getitem": (lambda w: w.frame.__getitem__, [zmq.MORE]),
    "frame.set": (lambda w: w.frame.set, [zmq.MORE, 1]),
    "tracker.wait": (lambda w: w.tracker.wait, [0]),
    "poller.register": (lambda w: w.poller.register, ["socket", zmq.POLLIN]),
    "poller.modify": (lambda w: w.poller.modify, ["socket", zmq.POLLIN]),
    "poller.unregister": (lambda w: w.poller.unregister, ["socket"]),
    "poller.poll": (lambda w: w.poller.poll, [0]),
    "register-poll": (lambda w: lambda value: (w.poller.register(value, 1), w.poller.poll(0)), ["socket"]),
    "zmq_poll": (lambda w: zmq.zmq_poll, [[("socket", 1)], 0]),
    "zmq_poll-item": (lambda w: lambda item: zmq.zmq_poll([item], 0), [("socket", 1)]),
    "zmq_poll-flags": (lambda w: lambda flags: zmq.zmq_poll([(w.socket, flags)], 0), [1]),
    "select": (lambda w: zmq.select, [["socket"], [], [], 0]),
    "proxy": (lambda w: zmq.proxy, ["closed", "closed", "closed"]),
    "device": (lambda w: zmq.device, [zmq.QUEUE, "closed", "closed"]),
    "has": (lambda w: zmq.has, ["ipc"]),
    "strerror": (lambda w: zmq.strerror, [22]),
    "ZMQError": (lambda w: zmq.ZMQError, [22, "x"]),
    "curve_public": (lambda w: zmq.curve_public, [b"x" * 40]),
}


def opened(world, kind):
    world.opened.append(world.context.socket(kind))
    return world.opened[-1]


# What is asked of pyzmq is what it survives.
FATAL = {
    "Socket.shadow": "takes any number for an address",
    "Context.shadow": "takes any number for an address",
    "close": "leaves the socket open, so that its context never ends",
}


def cases():
    names = list(values(World()))
    for call, (_, right) in CALLS.items():
        if zmq.__name__ == "zmq" and call in FATAL:
            continue
        for place in range(len(right)):
            for name in names:
                yield call, place, name


def resolved(world, argument):
    if isinstance(argument, str) and argument in ("socket", "closed", "context"):
        return getattr(world, argument)
    if isinstance(argument, (list, tuple)):
        return type(argument)(resolved(world, one) for one in argument)
    return argument


def outcome(world, call, place, name):
    way, right = CALLS[call]
    arguments = [resolved(world, one) for one in right]
    arguments[place] = values(world)[name]
    try:
        answer = way(world)(*arguments)
    except Hung:
        return "hung"
    except BaseException as error:
        number = getattr(error, "errno", None)
        kind = type(error).__name__
        return kind if number is None or not kind.startswith("ZMQ") else f"{kind} {int(number)}"
    if isinstance(answer, zmq.Socket):
        world.opened.append(answer)
    return "fine"


class Hung(BaseException):
    pass


def hang(*_):
    raise Hung


def main():
    signal.signal(signal.SIGALRM, hang)
    for number, (call, place, name) in enumerate(cases()):
        if number < FIRST:
            continue
        print(json.dumps([call, place, name]), end=" ", flush=True)
        world = World()
        signal.setitimer(signal.ITIMER_REAL, 2.0)
        try:
            came = outcome(world, call, place, name)
            world.end()
        except zmq.ZMQError:
            pass
        except Hung:
            came = "hung at the end"
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        print(json.dumps(came), flush=True)


if __name__ == "__main__":
    main()

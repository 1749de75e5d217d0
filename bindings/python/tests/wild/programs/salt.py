"""A server in Salt's way: a ROUTER hands requests to worker processes over a DEALER, and clients ask again after a restart.

Everything waits in tornado's loop, by ZMQStream.
"""

import multiprocessing
import os
import sys
import tempfile
import time
import zlib

import zmq
from engine import engine
from tornado.ioloop import IOLoop, PeriodicCallback
from zmq.eventloop.zmqstream import ZMQStream

CLIENTS = 20
REQUESTS = 30
LIMIT = 60


def work(backend):
    """A REP that answers by the parts of the request."""
    socket = zmq.Context.instance().socket(zmq.REP)
    socket.connect(backend)
    stream = ZMQStream(socket)

    def answer(parts):
        command, number, body = parts
        stream.send_multipart([b"done", command, number, b"%d" % zlib.crc32(body)])

    stream.on_recv(answer)
    IOLoop.current().start()


def serve(frontend, backend):
    """Passes requests on to the workers, and tells every second one who listens how many there were."""
    context = zmq.Context.instance()
    sockets = [context.socket(kind) for kind in (zmq.ROUTER, zmq.DEALER, zmq.PUB)]
    front, back, events = map(ZMQStream, sockets)
    front.bind(frontend)
    back.bind(backend)
    events.bind(backend + ".events")
    count = 0

    def request(parts):
        nonlocal count
        count += 1
        back.send_multipart(parts)
        if count % 2 == 0:
            events.send_multipart([b"count", b"%d" % count])

    front.on_recv(request)
    back.on_recv(front.send_multipart)
    IOLoop.current().start()


class Client:
    """Asks with a DEALER, one request at a time, and again if there is no answer."""

    def __init__(self, number, endpoint, finished):
        socket = zmq.Context.instance().socket(zmq.DEALER)
        socket.identity = b"client-%d" % number
        socket.linger = 0
        socket.reconnect_ivl = 20
        socket.connect(endpoint)
        self.stream = ZMQStream(socket)
        self.stream.on_recv(self.answered)
        self.stream.on_send(self.has_left)
        self.finished = finished
        self.number, self.answers, self.left, self.retry = number, 0, 0, None
        self.ask()

    def ask(self):
        body = os.urandom(100_000 if self.answers % 10 == 0 else 100)
        self.parts = [b"", b"hash", b"%d" % self.answers, body]
        self.send()

    def send(self):
        self.stream.send_multipart(self.parts)
        self.retry = IOLoop.current().call_later(0.5, self.send)

    def has_left(self, parts, status):
        assert parts[0] == b""
        self.left += 1

    def answered(self, parts):
        delimiter, done, command, number, checksum = parts
        assert (delimiter, done, command) == (b"", b"done", b"hash"), parts
        if int(number) != self.answers:
            return  # to a request that was repeated
        assert int(checksum) == zlib.crc32(self.parts[3])
        IOLoop.current().remove_timeout(self.retry)
        self.answers += 1
        if self.answers < REQUESTS:
            self.ask()
        else:
            self.stream.on_recv(None)
            self.finished(self)


class Master:
    """The processes of the server."""

    def __init__(self, frontend, backend):
        self.spawn = multiprocessing.get_context("spawn")
        self.frontend, self.backend = frontend, backend
        self.workers = [self.start(work, backend) for _ in range(2)]
        self.server = self.start(serve, frontend, backend)

    def start(self, function, *arguments):
        process = self.spawn.Process(target=function, args=arguments, daemon=True)
        process.start()
        return process

    def restart(self):
        self.server.kill()
        self.server.join()
        self.server = self.start(serve, self.frontend, self.backend)

    def stop(self):
        for process in [self.server, *self.workers]:
            process.terminate()
            process.join()


def free_port():
    with zmq.Context() as context, context.socket(zmq.REP) as socket:
        return socket.bind_to_random_port("tcp://127.0.0.1")


def main():
    directory = tempfile.TemporaryDirectory()
    frontend, backend = f"tcp://127.0.0.1:{free_port()}", f"ipc://{directory.name}/workers"
    master = Master(frontend, backend)
    loop, context = IOLoop.current(), zmq.Context.instance()
    listening, heard = context.socket(zmq.SUB), []
    listening.subscribe(b"count")
    listening.connect(backend + ".events")
    events = ZMQStream(listening)
    events.on_recv_stream(lambda stream, parts: heard.append(parts[1]))
    finished, closed = [], []

    def one_finished(client):
        finished.append(client)
        if len(finished) == CLIENTS:
            loop.stop()

    clients = [Client(number, frontend, one_finished) for number in range(CLIENTS)]
    restarted = []

    def look():
        if not restarted and sum(client.answers for client in clients) > CLIENTS * REQUESTS // 3:
            restarted.append(time.monotonic())
            master.restart()

    PeriodicCallback(look, 10).start()
    loop.call_later(LIMIT, sys.exit, f"{len(finished)} clients were answered within {LIMIT} s")
    loop.start()
    master.stop()
    assert restarted and heard
    for client in clients:
        assert client.left >= REQUESTS
        client.stream.set_close_callback(lambda: closed.append(True))
        client.stream.close()
        assert client.stream.closed()
    loop.call_later(0.05, loop.stop)
    loop.start()
    assert len(closed) == CLIENTS, closed
    events.close()
    context.term()
    print(engine())


if __name__ == "__main__":
    main()

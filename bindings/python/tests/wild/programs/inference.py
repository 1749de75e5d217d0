"""A front end and engines in vLLM's way, in processes that were spawned.

Tensors travel as frames of their own that are not copied: the front end fills a buffer again as soon as its tracker is done.
It waits in one poller for sockets, for a socket's descriptor, for a pipe and for the ends of processes.
"""

import array
import multiprocessing
import os
import time
import zlib

import msgpack
import zmq
from engine import engine

ENGINES = 2
REQUESTS = 40
TENSOR = 1_000_000
LIMIT_MS = 30_000


class Decoder:
    """Messages of msgpack, whose tensors are the frames behind it."""

    def decode(self, frames):
        def tensor(code, data):
            return memoryview(frames[1 + int.from_bytes(data, "little")].buffer)

        return msgpack.unpackb(frames[0].buffer, ext_hook=tensor)


def encode(message, *tensors):
    def number(value):
        place = next(place for place, tensor in enumerate(tensors) if tensor is value)
        return msgpack.ExtType(1, bytes([place]))

    return [msgpack.packb(message, default=number), *tensors]


def run_engine(number, inputs, outputs, announcements, report):
    """Takes requests, answers results, and ends when the coordinator says so."""
    context = zmq.Context()
    source, sink, coordinator = (context.socket(kind) for kind in (zmq.DEALER, zmq.PUSH, zmq.SUB))
    source.identity = number.to_bytes(2, "little")
    coordinator.subscribe(b"")
    source.connect(inputs)
    sink.connect(outputs)
    coordinator.connect(announcements)
    source.send_multipart([msgpack.packb({"status": "HELLO", "pid": os.getpid()})])
    poller = zmq.Poller()
    poller.register(source, zmq.POLLIN)
    poller.register(coordinator, zmq.POLLIN)
    decoder, wave = Decoder(), None
    while wave != "stop":
        ready = dict(poller.poll(LIMIT_MS))
        assert ready, "nobody asked for anything"
        if coordinator in ready:
            wave = coordinator.recv_string()
            os.write(report.fileno(), b"x")
        if source in ready:
            frames = source.recv_multipart(copy=False)
            request = decoder.decode(frames)
            checksum = zlib.crc32(request["tensor"])
            time.sleep(0.001)
            # What is under the tensor must not have changed while it was worked on.
            assert zlib.crc32(request["tensor"]) == checksum
            sums = array.array("Q", [checksum, len(request["tensor"])])
            result = encode({"id": request["id"], "engine": number, "sums": sums}, sums)
            sink.send_multipart(result, copy=False, track=True).wait(LIMIT_MS / 1000)
    context.destroy(linger=1000)


class Front:
    def __init__(self):
        self.context = zmq.Context(io_threads=2)
        self.router, self.pull, self.xpub = (self.context.socket(kind) for kind in (zmq.ROUTER, zmq.PULL, zmq.XPUB))
        self.router.router_mandatory = True
        self.xpub.xpub_verbose = True
        sockets = (self.router, self.pull, self.xpub)
        addresses = [f"tcp://127.0.0.1:{socket.bind_to_random_port('tcp://127.0.0.1')}" for socket in sockets]
        spawn = multiprocessing.get_context("spawn")
        self.reader, writer = spawn.Pipe(duplex=False)
        self.engines = [
            spawn.Process(target=run_engine, args=(number, *addresses, writer), daemon=True) for number in range(ENGINES)
        ]
        for process in self.engines:
            process.start()
        writer.close()
        self.names, self.buffers = [], [bytearray(TENSOR) for _ in range(3)]
        self.busy, self.sums, self.asked, self.answered = [], {}, 0, 0

    def meet(self):
        """Every engine says hello and subscribes."""
        subscribed, poller = 0, self.poller()
        while len(self.names) < ENGINES or subscribed < ENGINES:
            ready = dict(poller.poll(LIMIT_MS))
            assert ready, "the engines do not come up"
            self.take()
            if self.router in ready:
                name, hello = self.router.recv_multipart()
                assert msgpack.unpackb(hello)["status"] == "HELLO"
                self.names.append(name)
            while self.xpub in ready and self.xpub.get(zmq.EVENTS) & zmq.POLLIN:
                assert self.xpub.recv() == b"\x01"
                subscribed += 1

    def poller(self):
        poller = zmq.Poller()
        poller.register(self.router, zmq.POLLIN)
        poller.register(self.xpub, zmq.POLLIN)
        poller.register(self.pull.FD, zmq.POLLIN)
        poller.register(self.reader, zmq.POLLIN)
        for process in self.engines:
            poller.register(process.sentinel, zmq.POLLIN)
        return poller

    def send(self):
        """Fills a buffer that nobody has any more, and sends it to the next engine."""
        self.busy = [(tracker, buffer) for tracker, buffer in self.busy if not self.free(tracker, buffer)]
        if not self.buffers or self.asked == REQUESTS:
            return False
        buffer = self.buffers.pop()
        buffer[:] = bytes([self.asked % 251]) * TENSOR
        self.sums[self.asked] = zlib.crc32(buffer)
        frames = encode({"id": self.asked, "tensor": buffer}, buffer)
        name = self.names[self.asked % ENGINES]
        tracker = self.router.send_multipart([name, *frames], copy=False, track=True)
        self.busy.append((tracker, buffer))
        self.asked += 1
        return True

    def free(self, tracker, buffer):
        if tracker.done:
            self.buffers.append(buffer)
        return tracker.done

    def take(self):
        """All results that there are: the descriptor tells of them once."""
        while self.pull.get(zmq.EVENTS) & zmq.POLLIN:
            frames = self.pull.recv_multipart(copy=False)
            result = Decoder().decode(frames)
            checksum, length = array.array("Q", bytes(result["sums"]))
            assert (checksum, length) == (self.sums.pop(result["id"]), TENSOR), "the buffer was changed while it was sent"
            self.answered += 1

    def work(self):
        poller, end = self.poller(), time.monotonic() + LIMIT_MS / 1000
        while self.answered < REQUESTS:
            assert time.monotonic() < end, f"{self.answered} answers"
            while self.send():
                pass
            ready = dict(poller.poll(5 if self.asked < REQUESTS else 1000))
            assert not any(process.sentinel in ready for process in self.engines), "an engine died"
            self.take()

    def stop(self):
        """Every engine hears of it, writes into the pipe, and its end is seen by the same poller."""
        self.xpub.send_string("stop")
        poller, written, ended = self.poller(), b"", set()
        while len(ended) < ENGINES:
            ready = dict(poller.poll(LIMIT_MS))
            assert ready, "the engines do not end"
            if ready.get(self.reader.fileno()):
                written += os.read(self.reader.fileno(), 100)
                if written.count(b"x") == ENGINES:
                    poller.unregister(self.reader)
            for process in self.engines:
                if process.sentinel in ready:
                    poller.unregister(process.sentinel)
                    process.join()
                    assert process.exitcode == 0
                    ended.add(process.pid)
        assert written.count(b"x") == ENGINES
        self.context.destroy(linger=0)


if __name__ == "__main__":
    front = Front()
    front.meet()
    front.work()
    front.stop()
    print(engine())

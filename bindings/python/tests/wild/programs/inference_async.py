"""The front end of an inference server in vLLM's way, in asyncio: its sockets are used by plain calls, too, as shadows."""

import array
import asyncio
import tempfile
import threading

import zmq
import zmq.asyncio
from engine import engine

TENSOR = array.array("f", range(500_000))
BUFFERS = [(zmq.SNDHWM, 0), (zmq.RCVHWM, 0), (zmq.SNDBUF, 2**29), (zmq.RCVBUF, 2**29)]


def run_engine(context, endpoint):
    """Sends back what it is sent."""
    with context.socket(zmq.DEALER) as socket:
        socket.setsockopt(zmq.IDENTITY, (0).to_bytes(2, "little"))
        socket.connect(endpoint)
        socket.send(b"")
        while len(frames := socket.recv_multipart(copy=False)) > 1:
            tensor = memoryview(frames[-1].buffer).cast("B").cast("f")
            assert tensor == memoryview(TENSOR)
            socket.send_multipart([b"result", tensor], copy=False)


async def converse(context, router):
    shadow = zmq.Socket.shadow(router)
    assert shadow.poll(10_000), "the engine does not come up"
    name, hello = shadow.recv_multipart()
    assert (name, hello) == (b"\0\0", b"")

    for _ in range(20):
        tracker = await router.send_multipart((name, b"header", memoryview(TENSOR)), copy=False, track=True)
        sender, kind, tensor = await asyncio.wait_for(router.recv_multipart(copy=False), 10)
        assert (bytes(sender), bytes(kind)) == (name, b"result")
        assert memoryview(tensor.buffer).cast("B").cast("f") == memoryview(TENSOR)
        await asyncio.to_thread(tracker.wait, 10)
        assert tracker.done

    # What is received by a call that was cancelled is there for the next one.
    cancelled = router.recv_multipart()
    cancelled.cancel()
    signal, control = context.socket(zmq.PAIR), context.socket(zmq.PAIR)
    signal.bind("inproc://signal")
    control.connect("inproc://signal")
    poller = zmq.asyncio.Poller()
    poller.register(router, zmq.POLLIN)
    poller.register(signal, zmq.POLLIN)
    await control.send(b"stop")
    assert await poller.poll(10_000) == [(signal, zmq.POLLIN)]
    assert await signal.recv() == b"stop"
    await router.send_multipart([name, b"stop"])
    for socket in (signal, control):
        socket.close(linger=0)


def main():
    plain = zmq.Context(io_threads=2)
    context = zmq.asyncio.Context(plain)
    with tempfile.TemporaryDirectory() as directory:
        endpoint = f"ipc://{directory}/engine"
        router = context.socket(zmq.ROUTER)
        for option, value in [*BUFFERS, (zmq.ROUTER_HANDOVER, 1)]:
            router.setsockopt(option, value)
        router.bind(endpoint)
        thread = threading.Thread(target=run_engine, args=(plain, endpoint))
        thread.start()
        asyncio.run(converse(context, router))
        thread.join()
        router.close()
        plain.destroy(linger=0)
    print(engine())


main()

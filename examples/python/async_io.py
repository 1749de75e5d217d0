"""Sockets in asyncio: calls are futures, and nothing is polled."""

import asyncio

import tightbeam as zmq
import tightbeam.asyncio


async def count(context: zmq.asyncio.Context, endpoint: str) -> None:
    """Publishes numbers, and then the end."""
    async with asyncio.timeout(10):
        with context.socket(zmq.PUSH) as push:
            push.connect(endpoint)
            for number in range(5):
                await push.send(b"%d" % number)
                await asyncio.sleep(0.01)
            await push.send(b"")


async def main() -> None:
    with zmq.asyncio.Context() as context, context.socket(zmq.PULL) as pull:
        endpoint = f"tcp://127.0.0.1:{pull.bind_to_random_port('tcp://127.0.0.1')}"
        counting = asyncio.create_task(count(context, endpoint))
        # Whole messages, as lists of their parts, until the loop is left.
        async for parts in pull:
            if parts == [b""]:
                break
            print("came:", parts[0].decode())
        await counting

        # A call with a time-out raises zmq.Again; one that is cancelled loses no message.
        try:
            await pull.recv(timeout=0.01)
        except zmq.Again:
            print("nothing more")


asyncio.run(main())

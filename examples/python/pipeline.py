"""Tasks handed out in turn, and their results collected: PUSH and PULL, in processes of their own."""

import multiprocessing
import time

import tightbeam as zmq

TASKS = 1_000


def work(tasks: str, results: str) -> None:
    """Squares numbers until it gets the empty message."""
    with zmq.Context() as context, context.socket(zmq.PULL) as source, context.socket(zmq.PUSH) as sink:
        source.connect(tasks)
        sink.connect(results)
        # `iter` calls until what it gets is the second argument.
        for task in iter(source.recv, b""):
            sink.send_json({"task": int(task), "square": int(task) ** 2})
        # Leaving the block waits until everything has left.


if __name__ == "__main__":
    spawn = multiprocessing.get_context("spawn")
    with zmq.Context() as context, context.socket(zmq.PUSH) as tasks, context.socket(zmq.PULL) as results:
        endpoints = [f"tcp://127.0.0.1:{socket.bind_to_random_port('tcp://127.0.0.1')}" for socket in (tasks, results)]
        workers = [spawn.Process(target=work, args=endpoints) for _ in range(2)]
        for worker in workers:
            worker.start()
        # Otherwise the first who comes gets all there is.
        while tasks.stats()["established"] < len(workers):
            time.sleep(0.01)
        for number in range(TASKS):
            tasks.send(b"%d" % number)
        squares = [results.recv_json()["square"] for _ in range(TASKS)]
        print(f"the sum of {len(squares)} squares is {sum(squares)}")
        # Nothing waits any more: each worker gets one of these in its turn.
        for _ in workers:
            tasks.send(b"")
        for worker in workers:
            worker.join()

"""Work for whoever asks for it: a ROUTER knows its peers by their names, and answers when and whom it wants."""

import threading

import tightbeam as zmq

JOBS = [b"sweep", b"wash", b"dust", b"polish", b"iron", b"cook"]


def work(context: zmq.Context, name: bytes, endpoint: str) -> None:
    """Says that it is free, does what it is told, and goes home at the empty message."""
    with context.socket(zmq.DEALER) as worker:
        worker.identity = name
        worker.connect(endpoint)
        worker.send(b"free")
        while job := worker.recv():
            worker.send(b"done: " + job)


with zmq.Context() as context, context.socket(zmq.ROUTER) as manager:
    # A name that nobody has is an error then; otherwise what is sent there is dropped.
    manager.router_mandatory = True
    endpoint = f"tcp://127.0.0.1:{manager.bind_to_random_port('tcp://127.0.0.1')}"
    names = [b"anna", b"ben"]
    threads = [threading.Thread(target=work, args=[context, name, endpoint]) for name in names]
    for thread in threads:
        thread.start()

    jobs, working = iter(JOBS), len(names)
    while working:
        # The name of the sender comes first, and whom a message is for goes first.
        name, said = manager.recv_multipart(timeout=5)
        print(f"{name.decode()}: {said.decode()}")
        job = next(jobs, b"")
        manager.send_multipart([name, job])
        working -= not job
    try:
        manager.send_multipart([b"carla", b"cook"])
    except zmq.ZMQError as error:
        print(f"carla: {error}")
    for thread in threads:
        thread.join()

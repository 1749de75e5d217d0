"""Everybody hears what they subscribed to, by prefix: PUB and SUB."""

import itertools
import threading
import time

import tightbeam as zmq


def publish(publisher: zmq.Socket) -> None:
    """Tells the weather until the context ends. What nobody subscribed to is not even sent."""
    degrees = itertools.cycle(range(-5, 20))
    try:
        while True:
            for city in (b"oslo", b"rome"):
                publisher.send_multipart([b"weather." + city, b"%d" % next(degrees)])
            publisher.send(b"traffic.oslo")
            time.sleep(0.01)
    except zmq.ContextTerminated:
        publisher.close()


context = zmq.Context()
publisher = context.socket(zmq.PUB)
port = publisher.bind_to_random_port("tcp://127.0.0.1")
thread = threading.Thread(target=publish, args=[publisher])
thread.start()

for prefix in ["weather.oslo", "weather."]:
    with context.socket(zmq.SUB) as subscriber:
        subscriber.connect(f"tcp://127.0.0.1:{port}")
        subscriber.subscribe(prefix)
        # What was published before the subscription arrived has passed by.
        for _ in range(4):
            topic, degrees = subscriber.recv_multipart(timeout=5)
            print(f"whoever wants {prefix} hears: {topic.decode()}, {degrees.decode()} degrees")

context.term()
thread.join()

"""Buffers that messages refer to, and the trackers that say when they are free."""

import gc
import threading
import weakref

import pytest

LARGE = 1 << 20


class Buffer(bytearray):
    """One that can be referred to weakly."""


def test_a_tracker_is_done_when_the_buffer_is_free(zmq, context):
    push, pull = context.socket(zmq.PUSH), context.socket(zmq.PULL)
    # Nobody takes the message yet.
    push.connect("inproc://later")
    buffer = bytearray(LARGE)
    tracker = push.send(buffer, copy=False, track=True)
    assert not tracker.done
    with pytest.raises(zmq.NotDone):
        tracker.wait(0.01)
    pull.bind("inproc://later")
    assert len(pull.recv()) == LARGE
    tracker.wait(10)
    assert tracker.done


def test_a_tracker_waits_for_all_its_messages(zmq, context):
    push, pull = context.socket(zmq.PUSH), context.socket(zmq.PULL)
    push.connect("inproc://all")
    first = push.send(bytearray(LARGE), copy=False, track=True)
    done = zmq.MessageTracker()
    assert done.done and not zmq.MessageTracker(first, done).done
    both = push.send_multipart([b"small", bytearray(LARGE)], copy=False, track=True)
    assert not both.done
    pull.bind("inproc://all")
    pull.recv()
    pull.recv_multipart()
    zmq.MessageTracker(first, both).wait(10)
    with pytest.raises(TypeError):
        zmq.MessageTracker(5)
    with pytest.raises(ValueError):
        zmq.MessageTracker(zmq.Frame(b"not tracked"))


def test_small_messages_are_done_at_once(zmq, pair):
    pull, push = pair(zmq.PULL, zmq.PUSH)
    assert push.send(b"small", copy=False, track=True).done
    assert push.send(b"small", track=True) is None
    assert pull.recv() == b"small"


def test_frames_are_tracked(zmq, context):
    push, pull = context.socket(zmq.PUSH), context.socket(zmq.PULL)
    push.connect("inproc://frames")
    frame = zmq.Frame(bytearray(LARGE), track=True, copy=False)
    push.send(frame, copy=False, track=True)
    tracker = frame.tracker
    del frame
    assert not tracker.done
    pull.bind("inproc://frames")
    pull.recv()
    tracker.wait(10)
    other = context.socket(zmq.PUSH)
    other.connect("inproc://frames2")
    with pytest.raises(ValueError):
        other.send(zmq.Frame(b"untracked"), copy=False, track=True)


def test_a_buffer_lives_as_long_as_the_message_and_no_longer(zmq, context):
    push, pull = context.socket(zmq.PUSH), context.socket(zmq.PULL)
    push.connect("inproc://life")
    buffer = Buffer(LARGE)
    gone = weakref.ref(buffer)
    tracker = push.send(buffer, copy=False, track=True)
    del buffer
    gc.collect()
    assert gone() is not None
    pull.bind("inproc://life")
    pull.recv()
    tracker.wait(10)
    gc.collect()
    assert gone() is None


def test_buffers_come_back_while_threads_compete_for_the_gil(zmq, pair):
    pull, push = pair(zmq.PULL, zmq.PUSH, sndhwm=10, rcvhwm=10)
    count = 200
    stop = threading.Event()

    def spin():
        while not stop.is_set():
            sum(range(1000))

    spinner = threading.Thread(target=spin)
    spinner.start()
    trackers = []

    def send():
        for _ in range(count):
            trackers.append(push.send(bytearray(100_000), copy=False, track=True))

    sender = threading.Thread(target=send)
    sender.start()
    try:
        for _ in range(count):
            assert len(pull.recv()) == 100_000
        sender.join()
        for tracker in trackers:
            tracker.wait(10)
    finally:
        stop.set()
        spinner.join()

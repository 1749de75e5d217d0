"""Handlers of `logging` that publish."""

import importlib
import logging

import pytest


@pytest.fixture
def handlers(zmq):
    return importlib.import_module(zmq.__name__ + ".log.handlers")


@pytest.fixture
def published(zmq, context):
    """A socket for a handler, and a function that answers what came."""
    pub, sub = context.socket(zmq.PUB), context.socket(zmq.SUB)
    pub.bind("inproc://published")
    sub.connect("inproc://published")
    sub.subscribe(b"")
    return pub, lambda count: [sub.recv_multipart() for _ in range(count)]


@pytest.fixture
def logger(handlers, published):
    logger = logging.Logger("factory", logging.DEBUG)
    logger.addHandler(handlers.PUBHandler(published[0]))
    return logger


def test_records_are_published_by_level(logger, published):
    logger.debug("looking")
    logger.info("it is %d degrees", 200)
    logger.warning("hot")
    logger.critical("too hot")
    debug, info, warning, critical = published[1](4)
    assert info == [b"INFO", b"it is 200 degrees\n"]
    assert [debug[0], warning[0], critical[0]] == [b"DEBUG", b"WARNING", b"CRITICAL"]
    assert warning[1].startswith(b"WARNING test_log.py:") and warning[1].endswith(b" - hot\n")


def test_topics_have_a_root_and_what_stands_in_front_of_the_text(logger, published):
    (handler,) = logger.handlers
    assert handler.root_topic == "" and handler.socket is published[0]
    handler.root_topic = "factory"
    logger.info("oven.door::open")
    logger.info("a::b::c")
    handler.setRootTopic("mill")
    logger.info({"not": "text"})
    logger.info("ünï")
    assert published[1](4) == [
        [b"factory.INFO.oven.door", b"open\n"],
        [b"factory.INFO.a", b"b::c\n"],
        [b"mill.INFO", b"{'not': 'text'}\n"],
        [b"mill.INFO", "ünï\n".encode()],
    ]
    assert handler.root_topic == "mill"


def test_records_stay_as_they_are_for_others(handlers, published):
    record = logging.LogRecord("factory", logging.INFO, __file__, 1, "oven::open", (), None)
    handlers.PUBHandler(published[0], root_topic="factory").emit(record)
    assert published[1](1) == [[b"factory.INFO.oven", b"open\n"]] and record.msg == "oven::open"


def test_formats_are_set_for_a_level_or_for_all(logger, published):
    (handler,) = logger.handlers
    handler.setFormatter(logging.Formatter("all %(message)s"))
    handler.setFormatter(logging.Formatter("info %(message)s"), logging.INFO)
    logger.info("1")
    logger.error("2")
    assert published[1](2) == [[b"INFO", b"info 1"], [b"ERROR", b"all 2"]]


def test_an_endpoint_is_bound(zmq, handlers, context):
    handler = handlers.PUBHandler("inproc://of-its-own", context, "root")
    assert handler.ctx is context and handler.socket.type == zmq.PUB and handler.root_topic == "root"
    sub = context.socket(zmq.SUB)
    sub.subscribe(b"root.INFO")
    sub.connect("inproc://of-its-own")
    logger = logging.Logger("factory")
    logger.addHandler(handler)
    logger.info("text")
    assert sub.recv_multipart() == [b"root.INFO", b"text\n"]
    handler.close()
    assert not handler.socket.closed


def test_a_record_that_cannot_be_written_does_not_reach_the_program(logger, published, capsys):
    logger.info("%d", "no number")
    logger.info("next")
    assert published[1](1) == [[b"INFO", b"next\n"]]
    assert "no number" in capsys.readouterr().err


def test_a_logger_takes_subtopics(zmq, handlers, published):
    logger = handlers.TopicLogger("factory", logging.DEBUG)
    logger.addHandler(handlers.PUBHandler(published[0]))
    logger.log(logging.INFO, "oven", "open")
    assert published[1](1) == [[b"INFO.oven", b"open\n"]]
    # With pyzmq the others cannot be called.
    if zmq.__name__ == "zmq":
        return
    try:
        raise ValueError("too hot")
    except ValueError:
        logger.exception("oven", "it is %d degrees", 900)
    logger.warning("oven", "hot")
    silent = handlers.TopicLogger("silent", logging.ERROR)
    silent.addHandler(logger.handlers[0])
    silent.info("oven", "not said")
    logger.fatal("oven", "gone")
    exception, warning, fatal = published[1](3)
    assert exception[0] == b"ERROR.oven" and b"it is 900 degrees" in exception[1] and b"too hot" in exception[1]
    assert warning[1].startswith(b"WARNING test_log.py:") and fatal[0] == b"CRITICAL.oven"


def test_levels_of_a_program_are_written_too(published):
    handlers = importlib.import_module("tightbeam.log.handlers")
    tightbeam = importlib.import_module("tightbeam")
    with tightbeam.Context() as context, context.socket(tightbeam.SUB) as sub:
        sub.subscribe(b"")
        handler = handlers.PUBHandler("inproc://levels", context)
        sub.connect("inproc://levels")
        logger = logging.Logger("factory")
        logger.addHandler(handler)
        logger.log(25, "custom")
        handler.setFormatter(None)
        logger.info("plain")
        received = [sub.recv_multipart(timeout=10) for _ in range(2)]
        assert received == [[b"Level 25", b"custom\n"], [b"INFO", b"plain"]]
        handler.socket.close()

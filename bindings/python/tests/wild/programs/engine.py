"""Which engine this process has."""


def engine():
    import ctypes
    import sys

    import zmq

    assert zmq.Context  # it has been loaded
    if "tightbeam._native" in sys.modules:
        return "run" if zmq.__name__ == "tightbeam" else "backend"
    ours = hasattr(ctypes.CDLL(None), "tightbeam_ctx_term_timeout")
    return "preload" if ours else "pyzmq"

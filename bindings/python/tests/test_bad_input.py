"""What is called with wrong arguments raises what pyzmq raises; nothing aborts, hangs or panics.

`bad/calls.py` makes some four thousand calls on pyzmq and on ours, `bad/reentrant.py` calls that are called back.
"""

import fnmatch
import functools
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent / "bad"

# Where ours differ: patterns of a call and the number of its argument, the argument, their outcome and ours.
NUMBERS = "numbers are whole and nothing is rounded; what has __index__ is one"
ORDER = "of two things that are wrong either may be told"
OWN = "an exception of the argument's own is not replaced"
BUFFERS = "any buffer is taken for bytes"
LONG = "longer times can be waited"
ITERABLE = "any iterable is taken for a list, and any mapping"
DIFFERENT = [
    (NUMBERS, "*", "1.5 nan inf", "*", "TypeError"),
    (NUMBERS, "*", "index", "TypeError", "*"),
    (OWN, "*", "raises", "*", "LookupError"),
    ("flags are a number", "poll.1", "*", "*", "TypeError"),
    ("a context that has ended is not shared", "Context.0", "ended", "fine", "RuntimeError"),
    (ORDER, "Socket.0", "closed ended", "*", "ZMQError *"),
    ("there is no such type", "*ocket.*", "-1", "TypeError", "ZMQError 22"),
    (ORDER, "closed.*", "*", "*Error*", "*Error*"),
    ("a threshold is a number of bytes", "copy_threshold.0", "-1", "fine", "OverflowError"),
    ("a threshold is a number of bytes", "copy_threshold.0", "2**31 2**63", "OverflowError", "fine"),
    (ORDER, "curve_public.0", "*", "*Error", "*Error"),
    ("a closed socket is none", "device.*", "*", "ZMQError 14", "ZMQError 88"),
    ("a closed socket is none", "proxy.*", "*", "ZMQError 14", "ZMQError 88"),
    ("no option of a frame can be set", "frame.set.*", "*", "*Error", "ZMQError 22"),
    (ORDER, "frame.get*", "surrogate", "UnicodeEncodeError", "TypeError"),
    ("is no text", "get_string.0", "*", "*Error", "*Error*"),
    ("there is no such capability", "has.0", "surrogate", "UnicodeEncodeError", "fine"),
    ("there is nothing to tell", "monitor.1", "2**31 -2**31-1", "OverflowError", "ZMQError 22"),
    (LONG, "*poll.0", "2**31", "OverflowError", "fine"),
    (LONG, "zmq_poll.1", "2**31 -2**31-1 None", "*Error", "fine"),
    (LONG, "select.3", "2**31 2**63", "OverflowError", "fine"),
    ("more than the buffer has", "recv_into-nbytes.0", "2**31 -2**31-1", "OverflowError", "ValueError"),
    ("cannot be polled", "register-poll.0", "*", "*Error", "TypeError"),
    ("a closed socket is none", "register-poll.0", "closed", "fine", "ZMQError 88"),
    (ITERABLE, "select.*", "empty bytes bytes-utf8 no-bytes dict array strided", "TypeError", "fine"),
    (ORDER, "select.*", "released frame", "TypeError", "*Error*"),
    ("a message has a part", "*send_multipart.0", "dict", "*Error", "IndexError"),
    (BUFFERS, "set-*.1", "array frame", "TypeError", "*"),
    (BUFFERS, "subscribe*", "array frame", "TypeError", "fine"),
    ("text can be taken back", "set-text.1", "no-bytes", "ZMQError 22", "fine"),
    ("text can be taken back", "set_string.1", "empty", "ZMQError 22", "fine"),
    ("a mask of 64 bits", "set-uint64.1", "2**63", "OverflowError", "fine"),
    (ORDER, "set*.0", "0 -1", "TypeError", "ZMQError 22"),
    ("for ever", "tracker.wait.0", "None", "TypeError", "fine"),
    (ORDER, "zmq_poll.0", "*", "ValueError", "TypeError"),
    (ORDER, "zmq_poll-item.0", "*", "*Error*", "TypeError"),
    ("no pairs", "zmq_poll-item.0", "bytes-utf8 array", "fine", "TypeError"),
]

if sys.version_info >= (3, 12):
    # pyzmq's wheels for these make numbers of arguments in another way.
    DIFFERENT += [
        (NUMBERS, "*", "array frame", "ValueError", "TypeError"),
    ]


@functools.cache
def outcomes(module):
    ended = subprocess.run([sys.executable, HERE / "calls.py", module], capture_output=True, text=True, timeout=50)
    lines = ended.stdout.splitlines()
    assert ended.returncode == 0, f"{ended.returncode} after {lines[-1:]}\n{ended.stderr[-3000:]}"
    found = {}
    for line in lines:
        (call, place, name), end = json.JSONDecoder().raw_decode(line)
        found[f"{call}.{place}", name] = json.loads(line[end:])
    return found


def is_different_on_purpose(call, name, theirs, ours, used):
    for number, (_, calls, names, from_theirs, from_ours) in enumerate(DIFFERENT):
        if (
            fnmatch.fnmatchcase(call, calls)
            and (names == "*" or name in names.split())
            and fnmatch.fnmatchcase(theirs, from_theirs)
            and fnmatch.fnmatchcase(ours, from_ours)
        ):
            used.add(number)
            return True
    return False


def test_wrong_arguments_raise_what_pyzmq_raises():
    with ThreadPoolExecutor() as pool:
        theirs, ours = pool.map(outcomes, ["zmq", "tightbeam"])
    assert len(ours) > 3500 and set(theirs) < set(ours)
    assert {came for came in ours.values() if "ung" in came or "anic" in came} == set()
    used = set()
    wrong = {
        key: f"{theirs[key]} there, {ours[key]} here"
        for key in theirs
        if theirs[key] != ours[key] and not is_different_on_purpose(*key, theirs[key], ours[key], used)
    }
    assert wrong == {}
    unused = [row for number, row in enumerate(DIFFERENT) if number not in used]
    assert not unused, unused


def test_what_pyzmq_does_not_survive_is_refused():
    """Rather than taken for an address, or left half closed."""
    ours = outcomes("tightbeam")
    for call, allowed in (("Socket.shadow.0", "ZMQError 88"), ("Context.shadow.0", "ZMQError 14"), ("close.0", None)):
        came = {name: value for (one, name), value in ours.items() if one == call}
        assert len(came) > 30 and allowed in {None, *came.values()}
        refused = {value for value in came.values() if value != "fine"}
        assert refused <= {"TypeError", "ValueError", "OverflowError", "LookupError", "RuntimeError", allowed}


def test_arguments_may_call_back():
    ended = subprocess.run([sys.executable, HERE / "reentrant.py"], capture_output=True, text=True, timeout=50)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert len(ended.stdout.splitlines()) > 20

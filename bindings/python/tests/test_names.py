"""Every public name of pyzmq is here, takes the same arguments, and every option has its three spellings."""

import importlib
import inspect
import warnings

import pytest

MODULES = [
    "",
    ".asyncio",
    ".auth",
    ".auth.asyncio",
    ".auth.base",
    ".auth.certs",
    ".auth.ioloop",
    ".auth.thread",
    ".auth",
    ".auth.asyncio",
    ".auth.base",
    ".auth.certs",
    ".auth.ioloop",
    ".auth.thread",
    ".constants",
    ".curve_keygen",
    ".decorators",
    ".devices",
    ".devices.basedevice",
    ".devices.monitoredqueue",
    ".devices.monitoredqueuedevice",
    ".devices.proxydevice",
    ".devices.proxysteerabledevice",
    ".curve_keygen",
    ".decorators",
    ".devices",
    ".devices.basedevice",
    ".devices.monitoredqueue",
    ".devices.monitoredqueuedevice",
    ".devices.proxydevice",
    ".devices.proxysteerabledevice",
    ".error",
    ".log",
    ".log.handlers",
    ".log.handlers",
    ".sugar",
    ".sugar.attrsettr",
    ".sugar.context",
    ".sugar.frame",
    ".sugar.poll",
    ".sugar.socket",
    ".sugar.stopwatch",
    ".sugar.tracker",
    ".sugar.version",
    ".utils.interop",
    ".utils.jsonapi",
    ".utils.monitor",
    ".utils.strtypes",
    ".utils.z85",
]

# What is left out on purpose, and why.
LEFT_OUT = {
    "zmq.get_includes": "there is no C interface to build against",
    "zmq.get_library_dirs": "there is no libzmq",
    "zmq.auth.thread.ThreadAuthenticator.pipe_endpoint": "how the thread of pyzmq is told to end; ours is told by its loop",
    "zmq.Context.shadow_pyczmq": "takes a context of pyczmq, a binding to czmq that is long gone",
    "zmq.asyncio.Context.shadow_pyczmq": "as above",
    "zmq.sugar.Context.shadow_pyczmq": "as above",
    "zmq.sugar.context.Context.shadow_pyczmq": "as above",
}

IMPORTED = {"annotations", "TYPE_CHECKING", "EINTR"}


def is_theirs(theirs, name):
    """Whether a name of a module is meant for users: neither private nor what the module imported for itself."""
    value = getattr(theirs, name)
    if name.startswith("_") or inspect.ismodule(value):
        return name in ("__version__", "__revision__")
    module = getattr(value, "__module__", None) if callable(value) else theirs.__name__
    return module is None or module.startswith("zmq") or name == "Future"


def modules():
    for name in MODULES:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = importlib.import_module("zmq" + name)
            ours = importlib.import_module("tightbeam" + name)
        names = set(getattr(theirs, "__all__", dir(theirs)))
        if name == "":
            names |= set(dir(theirs))
        yield theirs, ours, sorted(one for one in names - IMPORTED if is_theirs(theirs, one))


def named():
    """Names of pyzmq with what they stand for there and here: those of modules, and those of their classes."""
    missing = object()
    for theirs, ours, names in modules():
        for name in names:
            path = f"{theirs.__name__}.{name}"
            mine = getattr(ours, name, missing)
            yield path, getattr(theirs, name), mine, mine is missing
            if not inspect.isclass(getattr(theirs, name)) or mine is missing:
                continue
            for member in dir(getattr(theirs, name)):
                if not member.startswith("_"):
                    value = getattr(mine, member, missing)
                    yield f"{path}.{member}", getattr(getattr(theirs, name), member), value, value is missing


def test_every_public_name_is_here():
    assert {path for path, _, _, is_missing in named() if is_missing} == set(LEFT_OUT)


def test_the_top_level_has_what_pyzmq_has():
    """So that the walk above cannot come to walk over nothing."""
    assert len({path for path, *_ in named() if path.count(".") == 1}) > 290
    assert len(list(named())) > 1500


def parameters(function):
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return None
    return [one for one in signature.parameters.values() if one.name != "self"]


# What pyzmq's send_multipart hands on to its send.
FORWARDED = {"routing_id", "group"}


def accepts(ours, wanted):
    """Whether a parameter of theirs can be given to ours, by its place and by its name, with the same default."""
    names = {one.name: one for one in ours}
    rest = {one.kind for one in ours}
    for place, one in enumerate(wanted):
        if one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD):
            if one.kind not in rest and not FORWARDED <= names.keys():
                return one.name
            continue
        if one.name.startswith("_"):
            continue
        mine = names.get(one.name)
        if mine is None and one.kind is one.POSITIONAL_ONLY and place < len(ours):
            mine = ours[place]
        if mine is None or mine.default != one.default:
            return one.name
        by_place = one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)
        if by_place and ours.index(mine) != place:
            return one.name
        if one.kind is not one.POSITIONAL_ONLY and mine.kind is mine.POSITIONAL_ONLY:
            return one.name
    return None


def test_every_function_takes_the_same_arguments():
    wrong, compared = {}, 0
    for path, theirs, ours, is_missing in named():
        if is_missing or not callable(theirs) or inspect.isclass(theirs) and issubclass(theirs, int):
            continue
        wanted, mine = parameters(theirs), parameters(ours)
        if wanted is None:
            continue
        compared += 1
        refused = "everything" if mine is None else accepts(mine, wanted)
        if refused is not None:
            wrong[path] = f"{refused}: {inspect.signature(theirs)}"
    assert wrong == {}
    assert compared > 150


def test_frames_take_the_same_arguments(zmq):
    """Those of which pyzmq tells no signature."""
    frame = zmq.Frame(data=b"x", track=True, copy=None, copy_threshold=4)
    assert frame.bytes == b"x" and frame.tracker.done
    assert zmq.Frame(b"y", False, True, 1).bytes == b"y"


def test_enumerations_have_the_same_members_and_words():
    import zmq

    import tightbeam

    kinds = [kind for kind in vars(zmq.constants).values() if inspect.isclass(kind) and issubclass(kind, int)]
    kinds = [kind for kind in kinds if kind.__module__ == "zmq.constants"]
    assert len(kinds) == 13
    for theirs in kinds:
        ours = getattr(tightbeam.constants, theirs.__name__)
        assert ours.__mro__[1] is theirs.__mro__[1]
        for name, member in theirs.__members__.items():
            assert repr(ours[name]) == repr(member) and str(ours[name]) == str(member)
            assert f"{ours[name]}" == f"{member}" and ours[name] == member


def outcome(call):
    """What a call comes to, as far as it is the same in each run and on each engine."""
    try:
        value = call()
    except Exception as error:
        number = getattr(error, "errno", None)
        return type(error).__name__ if number is None else (type(error).__name__, int(number))
    return type(value).__name__


def spellings(socket, name, option):
    """The ways to read an option, and those to set it."""
    return (
        [
            lambda: getattr(socket, name.lower()),
            lambda: getattr(socket, name),
            lambda: socket.get(option),
            lambda: socket.getsockopt(int(option)),
        ],
        [
            lambda value: setattr(socket, name.lower(), value),
            lambda value: setattr(socket, name, value),
            lambda value: socket.set(option, value),
            lambda value: socket.setsockopt(int(option), value),
        ],
    )


def option_names():
    import zmq

    names = sorted(zmq.SocketOption.__members__)
    assert len(names) >= 114
    return names


def outcomes(module, name):
    """What reading an option comes to, and setting it to values of three types, in each spelling."""
    with module.Context() as context, context.socket(module.ROUTER) as socket:
        reads, writes = spellings(socket, name, module.SocketOption[name])
        found = [[outcome(read) for read in reads]]
        for value in (1, b"x", "x"):
            found.append([outcome(lambda write=write, value=value: write(value)) for write in writes])
    return found


# What an option comes to that the library does not know, or knows for other types of sockets.
NOTHING = {"AttributeError", "TypeError", ("ZMQError", 22)}
DIFFERENT = {
    "CURVE_PUBLICKEY": "keys can be read here",
    "CURVE_SECRETKEY": "keys can be read here",
    "CURVE_SERVERKEY": "keys can be read here",
    "HWM": "which of two reasons is told first",
    "TYPE": "can be hidden by an attribute there",
}


@pytest.mark.parametrize("name", option_names())
def test_every_option_has_its_spellings(name):
    import zmq

    import tightbeam

    theirs, ours = outcomes(zmq, name), outcomes(tightbeam, name)
    if name in DIFFERENT:
        assert theirs != ours, "not different any more"
    elif {one for spelled in theirs for one in spelled} - NOTHING:
        assert ours == theirs
    else:
        # An option that libzmq has only when it is built with what pyzmq's wheels are built without.
        for spelled in ours[1:]:
            assert len(set(map(str, spelled))) == 1

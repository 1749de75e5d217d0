"""A handler for `logging` that publishes what is logged through a PUB socket.

```python
handler = PUBHandler("tcp://127.0.0.1:5558")
handler.root_topic = "factory"
logging.getLogger().addHandler(handler)
```
"""

from __future__ import annotations

import copy
import logging
from typing import Any

from .. import _native
from ..constants import SocketType
from ..context import Context

__all__ = ["PUBHandler", "TOPIC_DELIM", "TopicLogger"]

# Between a subtopic and the text, in what is logged.
TOPIC_DELIM = "::"

_WITH_PLACE = "%(levelname)s %(filename)s:%(lineno)d - %(message)s\n"
_FORMATS = {
    logging.DEBUG: _WITH_PLACE,
    logging.INFO: "%(message)s\n",
    logging.WARNING: _WITH_PLACE,
    logging.ERROR: "%(levelname)s %(filename)s:%(lineno)d - %(message)s - %(exc_info)s\n",
    logging.CRITICAL: _WITH_PLACE,
}


class PUBHandler(logging.Handler):
    """Publishes records: a topic made of the root topic, the level and what stands in front of `::` in the text, and the text.

    It takes a socket, or an endpoint to bind one to. Closing the handler does not close the socket.
    """

    socket: Any
    ctx: Any
    formatters: dict[int, logging.Formatter | None]

    def __init__(self, interface_or_socket: Any, context: Any = None, root_topic: str | bytes = "") -> None:
        super().__init__()
        self.root_topic = root_topic
        self.formatters = {level: logging.Formatter(text) for level, text in _FORMATS.items()}
        if isinstance(interface_or_socket, _native.Socket):
            self.socket = interface_or_socket
            self.ctx = self.socket.context
        else:
            self.ctx = Context() if context is None else context
            self.socket = self.ctx.socket(SocketType.PUB)
            self.socket.bind(interface_or_socket)

    @property
    def root_topic(self) -> str:
        """What every topic begins with."""
        return self._root_topic

    @root_topic.setter
    def root_topic(self, value: str | bytes) -> None:
        self.setRootTopic(value)

    def setRootTopic(self, root_topic: str | bytes) -> None:
        """Sets what every topic begins with. Without it topics begin with the level, such as `INFO`."""
        self._root_topic = root_topic.decode("utf8") if isinstance(root_topic, bytes) else root_topic

    def setFormatter(self, fmt: logging.Formatter | None, level: int = logging.NOTSET) -> None:
        """Sets how records of a level are written, or of every level if none is given."""
        if level == logging.NOTSET:
            self.formatters = dict.fromkeys(self.formatters, fmt)
        else:
            self.formatters[level] = fmt

    def format(self, record: logging.LogRecord) -> str:
        """The text of a record. A level of the program's own is written as INFO is, if nothing else was said."""
        formatter = self.formatters.get(record.levelno) or self.formatters[logging.INFO]
        return (formatter or logging.Formatter()).format(record)

    def emit(self, record: logging.LogRecord) -> None:
        """Publishes a record. What fails is handled as by other handlers of `logging`."""
        try:
            topic, text = self._message(record)
            self.socket.send_multipart([topic.encode("utf8"), text.encode("utf8")])
        except Exception:
            self.handleError(record)

    def _message(self, record: logging.LogRecord) -> tuple[str, str]:
        topics = [self.root_topic, record.levelname]
        text = str(record.msg)
        if TOPIC_DELIM in text:
            subtopic, text = text.split(TOPIC_DELIM, 1)
            topics.append(subtopic)
            # Others write the record, too.
            record = copy.copy(record)
            record.msg = text
        return ".".join(topic for topic in topics if topic), self.format(record)


class TopicLogger(logging.Logger):
    """A logger whose methods take a subtopic in front of the text: `logger.info("oven", "it is %d degrees", 200)`."""

    def log(self, level: int, topic: str, msg: object, *args: Any, **kwargs: Any) -> None:  # type: ignore[override]
        """Logs a text about a subtopic."""
        self._publish(level, topic, msg, args, kwargs)

    def debug(self, topic: str, msg: object, *args: Any, **kwargs: Any) -> None:  # type: ignore[override]
        """Logs a text about a subtopic with the level DEBUG."""
        self._publish(logging.DEBUG, topic, msg, args, kwargs)

    def info(self, topic: str, msg: object, *args: Any, **kwargs: Any) -> None:  # type: ignore[override]
        """Logs a text about a subtopic with the level INFO."""
        self._publish(logging.INFO, topic, msg, args, kwargs)

    def warning(self, topic: str, msg: object, *args: Any, **kwargs: Any) -> None:  # type: ignore[override]
        """Logs a text about a subtopic with the level WARNING."""
        self._publish(logging.WARNING, topic, msg, args, kwargs)

    def error(self, topic: str, msg: object, *args: Any, **kwargs: Any) -> None:  # type: ignore[override]
        """Logs a text about a subtopic with the level ERROR."""
        self._publish(logging.ERROR, topic, msg, args, kwargs)

    def critical(self, topic: str, msg: object, *args: Any, **kwargs: Any) -> None:  # type: ignore[override]
        """Logs a text about a subtopic with the level CRITICAL."""
        self._publish(logging.CRITICAL, topic, msg, args, kwargs)

    def exception(self, topic: str, msg: object, *args: Any, **kwargs: Any) -> None:  # type: ignore[override]
        """The same as `error`, with the exception that is handled just now."""
        self._publish(logging.ERROR, topic, msg, args, {"exc_info": True, **kwargs})

    warn = warning  # type: ignore[assignment]
    fatal = critical  # type: ignore[assignment]

    def _publish(self, level: int, topic: str, msg: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        # The caller is two calls away.
        stacklevel = kwargs.pop("stacklevel", 1) + 2
        super().log(level, f"{topic}{TOPIC_DELIM}{msg}", *args, stacklevel=stacklevel, **kwargs)

"""Telephone numbers never reach a log: the processors of structlog that mask them."""

from collections.abc import MutableMapping
from typing import Any

from models.masking import mask_text, mask_under


def masked_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: every value of a log line, however deep. An exception is text only later."""
    return {key: value if key == "exc_info" else mask_under(key, value) for key, value in event.items()}


def masked_line(_logger: Any, _method: str, line: str) -> str:
    """A structlog processor after the renderer: tracebacks and foreign objects are text by now."""
    return mask_text(line)

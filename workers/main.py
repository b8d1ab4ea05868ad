"""What `dramatiq workers.main` loads, in each of its processes: settings, logs, the queue, every duty.

Importing this module begins a worker; nothing else imports it.
"""

from dramatiq import set_broker

from wiring.metrics import serve_metrics
from wiring.process import begin
from workers.broker import broker
from workers.catalogue import DUTIES
from workers.quiet import hush
from workers.sending import connect

__all__ = ["DUTIES", "broker"]

_app = begin("worker")
hush()
connect(_app.settings)
set_broker(broker)
serve_metrics(_app.settings)

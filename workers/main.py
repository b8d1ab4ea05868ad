"""What `dramatiq workers.main` loads, in each of its processes: settings, logs, the queue, every actor.

Importing this module begins a worker; nothing else imports it.
"""

from dramatiq import set_broker

from wiring.metrics import serve_metrics
from wiring.process import begin
from workers import allocate, inbox, partitions, reap, rebuild, wake_due, walls
from workers.broker import broker
from workers.sending import connect

ACTORS = (
    allocate.allocate,
    inbox.inbox,
    partitions.partitions,
    reap.reap,
    rebuild.rebuild,
    wake_due.wake_due,
    walls.walls,
)

_app = begin("worker")
connect(_app.settings)
set_broker(broker)
if _app.settings.metrics_port:
    serve_metrics(_app.settings.metrics_port)

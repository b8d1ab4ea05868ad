"""`python -m web`: the API and the pages, on the settings' host and port."""

import uvicorn

from web.app import create
from web.following import Following
from web.silence import Silence
from web.upkeep import Upkeep
from wiring.process import begin
from workers.sending import connect


def main() -> None:
    """Serve until told to stop (SIGTERM, SIGINT)."""
    app = begin("web")
    connect(app.settings)
    Upkeep(app).start()
    Following(app).start()
    Silence(app).start()
    uvicorn.run(
        create(app),
        host=app.settings.web_host,
        port=app.settings.web_port,
        log_config=None,  # wiring.logs has them all
        access_log=False,  # the edge logs each request, without its query: a key may stand there
        server_header=False,
        timeout_graceful_shutdown=5,
    )
    app.close()


if __name__ == "__main__":
    main()

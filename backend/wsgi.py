"""The web application as any WSGI server loads it.

    granian --interface wsgi --workers 2 --blocking-threads 16 --no-ws --host 127.0.0.1 --port 8000 backend.wsgi:app

or, with host, port, workers and threads from the settings, `python -m backend.web`. Each worker process builds its own
parts; state lives in PostgreSQL only, so workers and machines may come and go.
"""

from backend.kernel import collector

with collector.resting():
    from backend import logs
    from backend.bootstrap import build
    from backend.settings import load
    from backend.web.app import create_app

    _settings = load()
    logs.configure(_settings.log_level.value)
    logs.forward_libraries()
    app = create_app(build(_settings))
collector.settle()

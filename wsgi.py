"""The web process: `gunicorn wsgi:app -k gevent`."""

from callcenter.app import create_app

app = create_app()

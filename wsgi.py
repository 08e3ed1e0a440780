"""The web process: `gunicorn wsgi:app -k gevent`."""

import gc

from callcenter.app import create_app

app = create_app()

# What was loaded until now stays for good: the collector of garbage need not look through it again and again
# while events come in. A batch makes thousands of objects that are gone when it is stored.
gc.collect()
gc.freeze()
gc.set_threshold(10_000, 20, 20)

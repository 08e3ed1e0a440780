"""The web process: `gunicorn wsgi:app -k gevent`."""

import gc

# What is loaded at the start stays for good: the collector of garbage need not look through it while it grows,
# nor again and again while events come in. A batch makes thousands of objects that are gone when it is stored.
gc.disable()

from callcenter.app import create_app  # noqa: E402

app = create_app()

gc.collect()
gc.freeze()
gc.set_threshold(10_000, 20, 20)
gc.enable()

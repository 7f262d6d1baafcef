"""What gunicorn serves: `gunicorn config.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application
from django.db import connection

from service_kit.database import assert_durable

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()

from accounts.keys.current import published_keys  # noqa: E402 - the models are ready now
from accounts.postman import start_postman  # noqa: E402 - as above

# A server refuses to start on a Postgres that may forget; a migration need not care.
with connection.cursor() as cursor:
    assert_durable(cursor)
# Later it can do without Postgres, if it must.
published_keys()
connection.close()
start_postman()

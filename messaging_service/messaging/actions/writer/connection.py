"""The writer's own connection to Postgres, with its statements prepared."""

from typing import Final

import psycopg2
from django.conf import settings
from django.db import connection as django_connection
from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class.

from messaging.permissions.contacts import ARE_CONTACTS, IS_BLOCKED
from messaging.serializers.messages import MESSAGE_COLUMNS
from service_kit.database import time_limit

# Together below the five seconds in which a send is answered though Postgres is away.
CONNECT_SECONDS: Final = 1.0
LOCK_TIMEOUT_MS: Final = 400

# The tables are only ever reached by key: without statistics the planner must not think otherwise.
_OPTIONS: Final = (
    "-c TimeZone=UTC -c plan_cache_mode=force_generic_plan -c enable_seqscan=off"
    f" -c enable_hashjoin=off -c enable_mergejoin=off -c lock_timeout={LOCK_TIMEOUT_MS}"
    # A process that freezes, or a host that vanishes, must not go on holding rooms.
    " -c idle_in_transaction_session_timeout=5000"
    " -c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3"
)

# Which rooms were locked travels to the next statement in a setting that ends with the transaction:
# so both go in one round trip, and are still two statements, each with a snapshot of its own.
_LOCK: Final = """
SELECT set_config('parley.locked', coalesce(string_agg(id::text, ','), ''), true)
FROM (SELECT id FROM rooms WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE {others}) AS locked
"""

# Of two people in a direct room, whether one blocks the other, and whether they are contacts, which
# is looked at only where it matters: each costs a send some microseconds.
_PAIR: Final = {"one": "room.participant_a", "other": "room.participant_b"}
_IS_BLOCKED: Final = IS_BLOCKED.format(**_PAIR)
_CONTACTS_ONLY: Final = settings.DIRECT_MESSAGES == "contacts"
_ARE_CONTACTS: Final = ARE_CONTACTS.format(**_PAIR) if _CONTACTS_ONLY else "false"
_LOOK: Final = f"""
SELECT clock_timestamp(), room.id, room.seq, room.pos, room.last_activity,
       member.left_pos, member.last_read_seq, p.username, p.display_name,
       nextval('messages_id_seq'), m.id, m.request_hash,
       CASE WHEN room.room_type = 'direct' THEN {_IS_BLOCKED} END,
       CASE WHEN room.room_type = 'direct' THEN {_ARE_CONTACTS} END
FROM json_to_recordset($1) AS asked(n int, room_id bigint, sender_id text, client_id text)
LEFT JOIN rooms room ON room.id = asked.room_id
    AND room.id = ANY((SELECT string_to_array(current_setting('parley.locked'), ','))::bigint[])
LEFT JOIN members member ON member.room_id = asked.room_id AND member.user_id = asked.sender_id
LEFT JOIN profiles p ON p.user_id = asked.sender_id
LEFT JOIN messages m ON m.sender_id = asked.sender_id AND m.client_id = asked.client_id
ORDER BY asked.n
"""

_RECALL: Final = f"""
SELECT {MESSAGE_COLUMNS} FROM messages m JOIN profiles p ON p.user_id = m.sender_id
WHERE m.id = ANY($1)
"""

_WRITE: Final = """
WITH counted AS (
    UPDATE rooms SET seq = r.seq, pos = r.pos, last_activity = r.at
    FROM json_to_recordset($1) AS r(id bigint, seq bigint, pos bigint, at timestamptz)
    WHERE rooms.id = r.id
), marked AS (
    UPDATE members SET last_read_seq = k.seq, read_at = clock_timestamp()
    FROM json_to_recordset($2) AS k(room_id bigint, user_id text, seq bigint)
    WHERE members.room_id = k.room_id AND members.user_id = k.user_id
)
INSERT INTO messages (id, room_id, seq, pos, created_pos, sender_id, client_id, request_hash,
                      message_type, content, timestamp)
SELECT id, room_id, seq, pos, pos, sender_id, client_id, decode(request_hash, 'hex'),
       message_type, content, at
FROM json_to_recordset($3) AS new(
    id bigint, room_id bigint, seq bigint, pos bigint, sender_id text, client_id text,
    request_hash text, message_type text, content text, at timestamptz)
"""

_PREPARE: Final = f"""
PREPARE lock_free(bigint[]) AS {_LOCK.format(others="SKIP LOCKED")};
PREPARE lock_waiting(bigint[]) AS {_LOCK.format(others="")};
PREPARE look(json) AS {_LOOK};
PREPARE recall(bigint[]) AS {_RECALL};
PREPARE write(json, json, json) AS {_WRITE};
"""


def connect() -> Connection:
    """A connection in autocommit mode: the writer says BEGIN and COMMIT itself."""
    parameters = django_connection.get_connection_params()
    parameters.pop("cursor_factory", None)
    given = parameters.pop("options", "")
    with time_limit(CONNECT_SECONDS):
        connection: Connection = psycopg2.connect(
            **parameters, options=f"{given} {_OPTIONS}".strip()
        )
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(_PREPARE)
    except psycopg2.Error:
        connection.close()
        raise
    return connection

"""A database used again by the next test: emptied where it was written to, which is quicker than making a new one.

A database of many tables takes half a second to copy from its template, emptying it some hundredths. What a test
changed besides rows (a trigger switched off, a table made, a setting) shows in the shape, and such a database is
not used again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import psycopg
from psycopg import sql

_SHAPE = """
SELECT md5(string_agg(one, ',' ORDER BY one)) FROM (
    SELECT relname || relkind::text || relpersistence::text AS one FROM pg_class
     WHERE relnamespace = 'public'::regnamespace AND NOT relispartition
    UNION ALL
    SELECT t.tgrelid::regclass::text || t.tgname || t.tgenabled::text FROM pg_trigger t
      JOIN pg_class c ON c.oid = t.tgrelid AND NOT c.relispartition WHERE NOT t.tgisinternal
    UNION ALL
    SELECT proname || md5(prosrc) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL
    SELECT c.relname || a.attname || a.atttypid::text || a.attnotnull::text FROM pg_attribute a
      JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p') AND NOT c.relispartition
     WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT c.conname || c.contype::text || c.convalidated::text FROM pg_constraint c
      JOIN pg_class r ON r.oid = c.conrelid AND NOT r.relispartition
     WHERE c.connamespace = 'public'::regnamespace
    UNION ALL
    SELECT setconfig::text FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase
     WHERE d.datname = current_database()
    UNION ALL
    SELECT datallowconn::text || datconnlimit::text FROM pg_database WHERE datname = current_database()
) shape
"""
_PARTITIONS = """
SELECT relname FROM pg_class
 WHERE relnamespace = 'public'::regnamespace AND relispartition AND relkind IN ('r', 'p')
"""
_TABLES = """
SELECT relname FROM pg_class
 WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY relname
"""
_SEQUENCES = (
    "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL"
)


@dataclass
class AsNew:
    """What a database holds right after its migration: its shape, the rows of its own, counters and partitions."""

    shape: str
    partitions: frozenset[str]
    tables: tuple[str, ...]
    rows: Mapping[str, str]
    counters: Mapping[str, int]
    holds: sql.Composed = field(init=False)

    def __post_init__(self) -> None:
        """Put together the question which tables have rows."""
        asked = [
            sql.SQL("SELECT {} WHERE EXISTS (SELECT 1 FROM {})").format(sql.Literal(one), sql.Identifier(one))
            for one in self.tables
        ]
        self.holds = sql.SQL(" UNION ALL ").join(asked)


def as_new(url: str) -> AsNew:
    """Look at a database that has just been migrated."""
    with psycopg.connect(url) as connection:
        tables = tuple(name for (name,) in connection.execute(_TABLES))
        rows = {}
        for name in tables:
            query = sql.SQL("SELECT json_agg(one)::text FROM {} one").format(sql.Identifier(name))
            (found,) = connection.execute(query).fetchone() or (None,)
            if found is not None:
                rows[name] = found
        return AsNew(
            shape=_shape(connection),
            partitions=frozenset(name for (name,) in connection.execute(_PARTITIONS)),
            tables=tables,
            rows=rows,
            counters=dict(connection.execute(_SEQUENCES).fetchall()),
        )


def _shape(connection: "psycopg.Connection[tuple[object, ...]]") -> str:
    (found,) = connection.execute(_SHAPE).fetchone() or ("",)
    return str(found)


def make_as_new(admin_url: str, name: str, url: str, wanted: AsNew) -> bool:
    """Empty a database that a test has used; False where it changed more than rows or cannot be emptied."""
    try:
        with psycopg.connect(admin_url, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", (name,)
            )
        with psycopg.connect(url) as connection:
            if _shape(connection) != wanted.shape:
                return False
            # Ledgers that only grow and rows that point at one another are emptied all the same.
            connection.execute("SET session_replication_role = replica")
            for (partition,) in connection.execute(_PARTITIONS).fetchall():
                if partition not in wanted.partitions:
                    connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(partition)))
            for (table,) in connection.execute(wanted.holds).fetchall():
                connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
            for table, rows in wanted.rows.items():
                name_of = sql.Identifier(table)
                connection.execute(
                    sql.SQL(
                        "INSERT INTO {} OVERRIDING SYSTEM VALUE SELECT * FROM json_populate_recordset(NULL::{}, %s)"
                    ).format(name_of, name_of),
                    (rows,),
                )
            for sequence, _ in connection.execute(_SEQUENCES).fetchall():
                last = wanted.counters.get(sequence)
                connection.execute(
                    "SELECT setval(%s::regclass, coalesce(%s, 1), %s)",
                    (f'public."{sequence}"', last, last is not None),
                )
    except psycopg.Error:
        return False
    return True

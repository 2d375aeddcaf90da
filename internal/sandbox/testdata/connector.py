"""Uses the sandbox as a client of Databricks' own Python connector does.

The environment says how to reach it: SANDBOX_URL, SANDBOX_HTTP_PATH,
SANDBOX_TOKEN, and how it is seeded: SANDBOX_ROWS. PYARROW is 1 where pyarrow
has to be there, 0 where it must not.
"""

import datetime
import decimal
import os

from databricks import sql
from databricks.sql import exc

try:
    import pyarrow  # noqa: F401
    have_pyarrow = True
except ImportError:
    have_pyarrow = False

rows = int(os.environ["SANDBOX_ROWS"])
http_path = os.environ["SANDBOX_HTTP_PATH"]


def connect(token=os.environ["SANDBOX_TOKEN"], path=http_path):
    return sql.connect(
        server_hostname="127.0.0.1",
        http_path=path,
        access_token=token,
        _connection_uri=os.environ["SANDBOX_URL"] + path,
        # Otherwise the connector asks https://127.0.0.1 for feature flags.
        enable_telemetry=False,
        _retry_stop_after_attempts_count=3,
    )


def equal(what, got, want):
    assert got == want, f"{what}: got {got!r}, want {want!r}"
    print("ok", what)


def fails(what, kind, parts, run):
    try:
        run()
    except kind as error:
        for part in parts:
            assert part in str(error), f"{what}: {part!r} is not in {error}"
        print("ok", what)
        return
    raise AssertionError(f"{what}: no error")


def naive(value):
    return value.replace(tzinfo=None) if isinstance(value, datetime.datetime) else value


equal("pyarrow is there", have_pyarrow, os.environ["PYARROW"] == "1")

with connect() as connection:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT 7 AS whole, 'a"b' AS text, CAST(1.50 AS DECIMAL(10,2)) AS amount,
                      DATE '1969-12-31' AS day, TIMESTAMP '2024-02-29 23:59:59.123456' AS at,
                      CAST(NULL AS STRING) AS nothing, true AS yes, 2.5D AS half"""
        )
        equal("names", [d[0] for d in cursor.description], ["whole", "text", "amount", "day", "at", "nothing", "yes", "half"])
        equal("types", [d[1] for d in cursor.description], ["int", "string", "decimal", "date", "timestamp", "string", "boolean", "double"])
        equal(
            "values",
            [naive(v) for v in cursor.fetchone()],
            [7, 'a"b', decimal.Decimal("1.50"), datetime.date(1969, 12, 31),
             datetime.datetime(2024, 2, 29, 23, 59, 59, 123456), None, True, 2.5],
        )

        cursor.execute("SELECT count(*) FROM main.sales.customers")
        equal("count", cursor.fetchone()[0], rows)
        cursor.execute("SELECT * FROM main.sales.customers")
        seen = 0
        while batch := cursor.fetchmany(rows // 2):
            seen += len(batch)
        equal("rows fetched", seen, rows)
        if have_pyarrow:
            cursor.execute("SELECT * FROM main.sales.customers")
            equal("rows as Arrow", cursor.fetchall_arrow().num_rows, rows)

        cursor.execute("SELECT :a AS a, :b AS b, :c AS c", {"a": 41, "b": "it's", "c": None})
        equal("named parameters", list(cursor.fetchone()), [41, "it's", None])
        cursor.execute("SELECT ? AS a, ? AS b", ["x", 1.5])
        equal("positional parameters", list(cursor.fetchone()), ["x", 1.5])

        catalogs = [r[0] for r in cursor.catalogs().fetchall()]
        assert "main" in catalogs and len(catalogs) > 1, catalogs
        schemas = [r[0] for r in cursor.schemas(catalog_name="main").fetchall()]
        assert "sales" in schemas, schemas
        tables = [r[2] for r in cursor.tables(catalog_name="main", schema_name="sales").fetchall()]
        assert {"customers", "orders"} <= set(tables), tables
        columns = [(r[3], r[5]) for r in cursor.columns(catalog_name="main", schema_name="sales", table_name="customers").fetchall()]
        cursor.execute("SELECT * FROM main.sales.customers LIMIT 0")
        equal("columns", [c[0] for c in columns], [d[0] for d in cursor.description])
        equal("no rows", cursor.fetchall(), [])

        fails("unknown table", exc.ServerOperationError, ["[TABLE_OR_VIEW_NOT_FOUND]", "SQLSTATE: 42P01"],
              lambda: cursor.execute("SELECT * FROM main.sales.nothing"))
        fails("syntax error", exc.ServerOperationError, ["[PARSE_SYNTAX_ERROR]", "SQLSTATE: 42601"],
              lambda: cursor.execute("SELEKT 1"))

        with connection.cursor() as other:
            cursor.execute("SELECT * FROM main.sales.customers")
            other.execute("SELECT 1")
            equal("two results at once", (other.fetchall()[0][0], len(cursor.fetchall())), (1, rows))

fails("wrong token", exc.RequestError, ["Invalid access token"], lambda: connect(token="nonsense"))
fails("wrong warehouse", exc.RequestError, ["does not exist"], lambda: connect(path="/sql/1.0/warehouses/other"))
print("done")

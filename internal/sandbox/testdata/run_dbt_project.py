"""Runs the dbt project beside this file twice, with changed data in between.

The environment says how to reach the sandbox: SANDBOX_URL, SANDBOX_HTTP_PATH, SANDBOX_TOKEN.
SANDBOX_CONSTRAINTS is 0 where the engine has no keys and tags. The argument is an empty
directory for a copy of the project.
"""

import datetime
import decimal
import os
import pathlib
import shutil
import sys

from databricks import sql
from dbt.cli.main import dbtRunner

keys = os.environ.get("SANDBOX_CONSTRAINTS", "1") == "1"
project = pathlib.Path(sys.argv[1]).resolve() / "project"
shutil.copytree(pathlib.Path(__file__).parent / "dbt", project)
os.chdir(project)
os.environ.update(DO_NOT_TRACK="1", DBT_PROFILES_DIR=str(project))
runner = dbtRunner()


def invoke(*args):
    variables = "{keys: %s, up_to: %d}" % (str(keys).lower(), up_to)
    return runner.invoke(["--no-use-colors", "--no-version-check", *args, "--vars", variables])


def dbt(*args):
    result = invoke(*args)
    if not result.success:
        raise SystemExit(f"dbt {args}: {result.exception or 'a node failed, see above'}")


def rows(statement):
    path = os.environ["SANDBOX_HTTP_PATH"]
    with sql.connect(
        server_hostname="127.0.0.1",
        http_path=path,
        access_token=os.environ["SANDBOX_TOKEN"],
        _connection_uri=os.environ["SANDBOX_URL"] + path,
        enable_telemetry=False,
    ) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return [tuple(r) for r in cursor.fetchall()]


def equal(what, got, want):
    assert got == want, f"{what}: got {got!r}, want {want!r}"
    print("ok", what)


# seed, run, snapshot and test, in the order of their dependencies. The schema does not
# exist before.
up_to = 11
dbt("build")
equal("merged", rows("SELECT order_id FROM main.dbt_shop.orders_history ORDER BY 1"), [(10,), (11,)])
equal(
    "totals",
    rows("SELECT id, name, total, orders FROM main.dbt_shop.customer_totals ORDER BY id"),
    [(1, "Ada, Countess", decimal.Decimal("15.75"), 2), (2, 'Bo "B" Li', decimal.Decimal("99.99"), 1), (3, "Cleo", decimal.Decimal("0.00"), 0)],
)
equal("comments", rows("SELECT comment FROM main.information_schema.tables WHERE table_name = 'customer_totals'"), [("What each customer's orders add up to",)])

seed = project / "seeds" / "customers.csv"
seed.write_text(seed.read_text().replace('"Bo ""B"" Li"', "Bo Li") + "4,Dee,DE,2024-01-04\n")
up_to = 12
dbt("build")
equal("merged again", rows("SELECT order_id FROM main.dbt_shop.orders_history ORDER BY 1"), [(10,), (11,), (12,)])
equal("nothing appended", rows("SELECT day, orders FROM main.dbt_shop.orders_by_day ORDER BY 1"), [(datetime.date(2024, 2, d), 1) for d in (1, 2, 3)])
equal(
    "snapshot",
    rows("SELECT id, name, dbt_valid_to IS NULL FROM main.dbt_shop.customers_snapshot ORDER BY id, dbt_valid_from"),
    [(1, "Ada, Countess", True), (2, 'Bo "B" Li', False), (2, "Bo Li", True), (3, "Cleo", True), (4, "Dee", True)],
)
if keys:
    equal("key", rows("SELECT constraint_name, column_name FROM main.information_schema.key_column_usage"), [("customer_dim_pk", "id")])
    equal("tags", rows("SELECT tag_name, tag_value FROM system.information_schema.table_tags"), [("team", "growth")])
    equal("dimension", rows("SELECT name FROM main.dbt_shop.customer_dim ORDER BY id"), [("Ada, Countess",), ("Bo Li",), ("Cleo",), ("Dee",)])

# A test of dbt that finds wrong data fails.
rows("INSERT INTO main.dbt_shop.customer_totals SELECT * FROM main.dbt_shop.customer_totals WHERE id = 1")
failed = invoke("test", "--select", "unique_customer_totals_id")
equal("a failing test", [r.status for r in failed.result], ["fail"])
print("done")

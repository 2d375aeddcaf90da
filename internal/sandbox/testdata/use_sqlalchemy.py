"""Uses the sandbox through SQLAlchemy, with Databricks' dialect.

The environment says how to reach it: SANDBOX_URL, SANDBOX_HTTP_PATH, SANDBOX_TOKEN.
SANDBOX_CONSTRAINTS is 0 where the engine has no primary and foreign keys.
"""

import datetime
import decimal
import os
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy import orm

url = os.environ["SANDBOX_URL"]
path = os.environ["SANDBOX_HTTP_PATH"]
token = os.environ["SANDBOX_TOKEN"]
constraints = os.environ.get("SANDBOX_CONSTRAINTS", "1") == "1"


def engine_for(schema):
    return sa.create_engine(
        f"databricks://token:{token}@127.0.0.1:{urlsplit(url).port}?http_path={path}&catalog=main&schema={schema}",
        connect_args={"_connection_uri": url + path, "enable_telemetry": False},
    )


def equal(what, got, want):
    assert got == want, f"{what}: got {got!r}, want {want!r}"
    print("ok", what)


class Base(orm.DeclarativeBase):
    pass


class Person(Base):
    __tablename__ = "people"
    id: orm.Mapped[int] = orm.mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    name: orm.Mapped[str] = orm.mapped_column(sa.String, comment="as on the card")
    born: orm.Mapped[datetime.date | None] = orm.mapped_column(sa.Date)
    seen: orm.Mapped[datetime.datetime | None] = orm.mapped_column(sa.DateTime)
    balance: orm.Mapped[decimal.Decimal | None] = orm.mapped_column(sa.Numeric(12, 2))
    member: orm.Mapped[bool | None] = orm.mapped_column(sa.Boolean)


class Visit(Base):
    __tablename__ = "visits"
    id: orm.Mapped[int] = orm.mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    person: orm.Mapped[int] = orm.mapped_column(sa.BigInteger)
    # A name that has to be quoted, as a column and as a parameter.
    pages: orm.Mapped[int] = orm.mapped_column("pages seen", sa.Integer)


# The schema does not exist when the first session opens.
engine = engine_for("shop")
with engine.connect() as connection:
    equal("one", connection.scalar(sa.text("SELECT 1")), 1)
    connection.execute(sa.schema.CreateSchema("shop", if_not_exists=True))
inspector = sa.inspect(engine)
equal("schemas", "shop" in inspector.get_schema_names(), True)
equal("no table", inspector.has_table("people"), False)

with engine.connect() as connection:
    # Names with spaces need column mapping.
    connection.exec_driver_sql(
        "CREATE TABLE visits (id BIGINT NOT NULL, person BIGINT, `pages seen` INT) TBLPROPERTIES('delta.columnMapping.mode' = 'name')"
    )
if constraints:
    Base.metadata.create_all(engine)
else:
    with engine.connect() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE people (id BIGINT NOT NULL, name STRING NOT NULL COMMENT 'as on the card',"
            " born DATE, seen TIMESTAMP_NTZ, balance DECIMAL(12,2), member BOOLEAN)"
        )
inspector.clear_cache()
equal("tables", sorted(inspector.get_table_names()), ["people", "visits"])
equal("has a table", inspector.has_table("people"), True)
columns = {c["name"]: c for c in inspector.get_columns("people")}
equal("columns", list(columns), ["id", "name", "born", "seen", "balance", "member"])
equal("type", str(columns["balance"]["type"]), "NUMERIC(12, 2)")
if constraints:
    equal("primary key", inspector.get_pk_constraint("people")["constrained_columns"], ["id"])

ada = dict(
    id=1, name="Ada \"L.\" O'Neill", born=datetime.date(1815, 12, 10), seen=datetime.datetime(2024, 2, 29, 23, 59, 59, 123456),
    balance=decimal.Decimal("12.30"), member=True,
)
with orm.Session(engine) as session:
    session.add(Person(**ada))
    session.add_all([Person(id=2, name="Bo"), Person(id=3, name="\\Čé\n")])
    session.add_all([Visit(id=1, person=1, pages=3), Visit(id=2, person=1, pages=4), Visit(id=3, person=2, pages=1)])
    session.commit()

with orm.Session(engine) as session:
    found = session.scalars(sa.select(Person).where(Person.name == ada["name"])).one()
    equal("a row", {k: getattr(found, k) for k in ada}, ada)
    equal("in", session.scalars(sa.select(Person.id).where(Person.id.in_([2, 3, 4])).order_by(Person.id)).all(), [2, 3])
    equal("like", session.scalars(sa.select(Person.id).where(Person.name.startswith("B"))).all(), [2])
    equal("null", session.scalars(sa.select(Person.id).where(Person.born.is_(None)).order_by(Person.id.desc())).all(), [3, 2])
    equal(
        "join and group",
        session.execute(
            sa.select(Person.id, sa.func.sum(Visit.pages), sa.func.count())
            .join(Visit, Visit.person == Person.id)
            .group_by(Person.id)
            .having(sa.func.count() >= sa.bindparam("at least", 1))
            .order_by(Person.id)
            .limit(10)
        ).all(),
        [(1, 7, 2), (2, 1, 1)],
    )
    found.name = "Ada"
    session.commit()
    session.execute(sa.update(Visit).where(Visit.pages > 3).values(pages=Visit.pages + 10))
    session.execute(sa.delete(Person).where(Person.id == 3))
    session.commit()
    equal("updated", session.scalars(sa.select(Visit.pages).order_by(Visit.id)).all(), [3, 14, 1])
    equal("deleted", session.scalar(sa.select(sa.func.count()).select_from(Person)), 2)

with engine.connect() as connection:
    connection.exec_driver_sql("CREATE VIEW adults AS SELECT id FROM people")
    equal("identifier", connection.scalar(sa.text("SELECT count(*) FROM IDENTIFIER(:t)"), {"t": "main.shop.people"}), 2)
    equal("a name in a clause", connection.execute(sa.text("SELECT IDENTIFIER(:c) FROM people ORDER BY id"), {"c": "name"}).scalars().all(), ["Ada", "Bo"])
inspector.clear_cache()
equal("views", inspector.get_view_names(), ["adults"])
reflected = sa.Table("people", sa.MetaData(), autoload_with=engine)
equal("reflected", [c.name for c in reflected.columns], ["id", "name", "born", "seen", "balance", "member"])
try:
    with engine.connect() as connection:
        connection.execute(sa.text("SELECT * FROM nothing"))
    raise AssertionError("no error for an unknown table")
except sa.exc.DBAPIError as error:
    equal("an error", "[TABLE_OR_VIEW_NOT_FOUND]" in str(error), True)
with engine.connect() as connection:
    connection.exec_driver_sql("DROP VIEW adults")
Base.metadata.drop_all(engine)
inspector.clear_cache()
equal("dropped", inspector.get_table_names(), [])
print("done")

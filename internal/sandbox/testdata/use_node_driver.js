// Uses the sandbox through Databricks' driver for Node.
//
// The environment says how to reach it: SANDBOX_PORT (https), SANDBOX_HTTP_PATH,
// SANDBOX_TOKEN, and NODE_EXTRA_CA_CERTS for its certificate; SANDBOX_ROWS is the
// number of rows in main.sales.customers.
"use strict";
const assert = require("node:assert");
const { DBSQLClient, DBSQLParameter, DBSQLParameterType } = require("@databricks/sql");

const rows = Number(process.env.SANDBOX_ROWS);

async function connect(options = {}) {
  const client = new DBSQLClient();
  await client.connect({
    host: "127.0.0.1",
    port: Number(process.env.SANDBOX_PORT),
    path: process.env.SANDBOX_HTTP_PATH,
    token: process.env.SANDBOX_TOKEN,
    telemetryEnabled: false,
    ...options,
  });
  return client;
}

async function main() {
  const client = await connect();
  const session = await client.openSession({ initialCatalog: "main", initialSchema: "sales" });
  const query = async (text, options) => {
    const operation = await session.executeStatement(text, options);
    try {
      return await operation.fetchAll();
    } finally {
      await operation.close();
    }
  };
  const [row] = await query(
    "SELECT 7 AS whole, 'a\"b' AS text, CAST(1.50 AS DECIMAL(10,2)) AS amount, DATE '1969-12-31' AS day, " +
      "TIMESTAMP '2024-02-29 23:59:59.123' AS at, CAST(NULL AS STRING) AS nothing, true AS yes, 2.5D AS half, " +
      "array(1, 2) AS list, named_struct('x', 'y') AS nested",
  );
  assert.strictEqual(row.whole, 7);
  assert.strictEqual(row.text, 'a"b');
  assert.strictEqual(Number(row.amount), 1.5);
  assert.strictEqual(new Date(row.day).toISOString().slice(0, 10), "1969-12-31");
  assert.strictEqual(new Date(row.at).toISOString(), "2024-02-29T23:59:59.123Z");
  assert.strictEqual(row.nothing, null);
  assert.strictEqual(row.yes, true);
  assert.strictEqual(row.half, 2.5);
  assert.deepStrictEqual(Array.from(row.list), [1, 2]);
  assert.strictEqual(row.nested.x, "y");

  const all = await query("SELECT * FROM customers");
  assert.strictEqual(all.length, rows);
  for (const useCloudFetch of [true, false]) {
    const operation = await session.executeStatement("SELECT customer_id FROM customers", { useCloudFetch });
    let seen = 0;
    for (;;) {
      const chunk = await operation.fetchChunk({ maxRows: Math.ceil(rows / 3) });
      seen += chunk.length;
      if (!(await operation.hasMoreRows())) break;
    }
    await operation.close();
    assert.strictEqual(seen, rows);
  }

  const named = await query("SELECT :a AS a, :b AS b, :c AS c, :`d` AS d", {
    namedParameters: { a: 41, b: "it's", c: new DBSQLParameter({ type: DBSQLParameterType.DATE, value: "2024-02-29" }), d: null },
  });
  assert.strictEqual(named[0].a, 41);
  assert.strictEqual(named[0].b, "it's");
  assert.strictEqual(named[0].d, null);
  assert.deepStrictEqual(await query("SELECT ? AS a, ? AS b", { ordinalParameters: ["x", 1.5] }), [{ a: "x", b: 1.5 }]);
  assert.deepStrictEqual(await query("SELECT count(*) AS n FROM IDENTIFIER(:t)", { namedParameters: { t: "main.sales.customers" } }), [
    { n: rows },
  ]);

  const list = async (operation) => {
    const found = await operation.fetchAll();
    await operation.close();
    return found;
  };
  assert.ok((await list(await session.getCatalogs())).some((c) => c.TABLE_CAT === "main"));
  assert.ok((await list(await session.getSchemas({ catalogName: "main" }))).some((s) => s.TABLE_SCHEM === "sales"));
  assert.ok((await list(await session.getTables({ catalogName: "main", schemaName: "sales" }))).some((t) => t.TABLE_NAME === "orders"));
  const columns = await list(await session.getColumns({ catalogName: "main", schemaName: "sales", tableName: "customers" }));
  assert.deepStrictEqual(columns.map((c) => c.COLUMN_NAME), Object.keys(all[0]));

  await assert.rejects(query("SELECT * FROM nothing"), /TABLE_OR_VIEW_NOT_FOUND/);
  await session.close();
  await client.close();
  await assert.rejects(async () => {
    const other = await connect({ token: "nonsense" });
    await other.openSession();
  });
  console.log("done");
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});

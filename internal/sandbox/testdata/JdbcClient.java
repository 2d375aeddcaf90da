import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.Date;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Timestamp;
import java.sql.Types;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Properties;

/**
 * Uses the sandbox through Databricks' open-source JDBC driver. The arguments are the URL, the token, and the number
 * of rows in main.sales.customers.
 */
public class JdbcClient {
  public static void main(String[] args) throws Exception {
    String url = args[0];
    String token = args[1];
    int rows = Integer.parseInt(args[2]);
    try {
      DriverManager.getConnection(url, login("nonsense")).close();
      throw new AssertionError("no error for a wrong token");
    } catch (SQLException expected) {
      check("wrong token", String.valueOf(expected.getMessage()).contains("Invalid access token"), true);
    }
    try (Connection connection = DriverManager.getConnection(url, login(token))) {
      types(connection);
      large(connection, rows);
      parameters(connection);
      metadata(connection);
      writes(connection);
      errors(connection);
    }
    System.out.println("done");
  }

  static Properties login(String token) {
    Properties p = new Properties();
    p.setProperty("user", "token");
    p.setProperty("password", token);
    return p;
  }

  static void check(String what, Object got, Object want) {
    if (!Objects.equals(got, want)) {
      throw new AssertionError(what + ": got " + got + ", want " + want);
    }
    System.out.println("ok " + what);
  }

  static void types(Connection connection) throws SQLException {
    try (Statement s = connection.createStatement();
        ResultSet r =
            s.executeQuery(
                "SELECT 7 AS whole, 'a\"b' AS text, CAST(1.50 AS DECIMAL(10,2)) AS amount, DATE '1969-12-31' AS day,"
                    + " TIMESTAMP '2024-02-29 23:59:59.123456' AS at, CAST(NULL AS STRING) AS nothing, true AS yes,"
                    + " 2.5D AS half, CAST('ab' AS BINARY) AS raw, 9223372036854775807 AS big")) {
      check("a row", r.next(), true);
      check("whole", r.getInt("whole"), 7);
      check("text", r.getString("text"), "a\"b");
      check("amount", r.getBigDecimal("amount"), new BigDecimal("1.50"));
      check("day", r.getDate("day").toString(), "1969-12-31");
      check("at", r.getTimestamp("at").getNanos(), 123456000);
      check("nothing", r.getString("nothing"), null);
      check("yes", r.getBoolean("yes"), true);
      check("half", r.getDouble("half"), 2.5);
      check("raw", new String(r.getBytes("raw")), "ab");
      check("big", r.getLong("big"), Long.MAX_VALUE);
      check("type", r.getMetaData().getColumnType(3), Types.DECIMAL);
      check("scale", r.getMetaData().getScale(3), 2);
      check("one row", r.next(), false);
    }
  }

  static void large(Connection connection, int rows) throws SQLException {
    try (Statement s = connection.createStatement();
        ResultSet r = s.executeQuery("SELECT * FROM main.sales.customers")) {
      int seen = 0;
      while (r.next()) {
        seen++;
      }
      check("rows", seen, rows);
    }
  }

  static void parameters(Connection connection) throws SQLException {
    try (PreparedStatement s = connection.prepareStatement("SELECT ? AS a, ? AS b, ? AS c, ? AS d, ? AS e")) {
      s.setLong(1, 41);
      s.setString(2, "it's");
      s.setDate(3, Date.valueOf("2024-02-29"));
      s.setBigDecimal(4, new BigDecimal("1.50"));
      s.setTimestamp(5, Timestamp.valueOf("2024-02-29 23:59:59.123456"));
      try (ResultSet r = s.executeQuery()) {
        check("a row", r.next(), true);
        check("long", r.getLong(1), 41L);
        check("string", r.getString(2), "it's");
        check("date", r.getDate(3).toString(), "2024-02-29");
        check("decimal", r.getBigDecimal(4), new BigDecimal("1.50"));
        check("timestamp", r.getTimestamp(5), Timestamp.valueOf("2024-02-29 23:59:59.123456"));
      }
    }
    try (PreparedStatement s = connection.prepareStatement("SELECT count(*) FROM IDENTIFIER(?)")) {
      s.setString(1, "main.sales.orders");
      try (ResultSet r = s.executeQuery()) {
        check("identifier", r.next() && r.getLong(1) > 0, true);
      }
    }
  }

  static List<String> names(ResultSet r, String column) throws SQLException {
    List<String> out = new ArrayList<>();
    try (r) {
      while (r.next()) {
        out.add(r.getString(column));
      }
    }
    return out;
  }

  static void metadata(Connection connection) throws SQLException {
    DatabaseMetaData m = connection.getMetaData();
    check("catalogs", names(m.getCatalogs(), "TABLE_CAT").contains("main"), true);
    check("schemas", names(m.getSchemas("main", "sal%"), "TABLE_SCHEM"), List.of("sales"));
    check("tables", names(m.getTables("main", "sales", "o%", null), "TABLE_NAME"), List.of("orders"));
    List<String> columns = names(m.getColumns("main", "sales", "customers", "%"), "COLUMN_NAME");
    check("columns", columns.contains("customer_id"), true);
    check("current catalog", connection.getCatalog(), "main");
    check("current schema", connection.getSchema(), "default");
    check("product", m.getDatabaseProductName() != null, true);
  }

  static void writes(Connection connection) throws SQLException {
    try (Statement s = connection.createStatement()) {
      s.execute("CREATE SCHEMA IF NOT EXISTS main.jdbc");
      s.execute("USE main.jdbc");
      s.execute("CREATE TABLE kept (id BIGINT, name STRING)");
    }
    try (PreparedStatement s = connection.prepareStatement("INSERT INTO kept VALUES (?, ?)")) {
      for (int i = 0; i < 3; i++) {
        s.setLong(1, i);
        s.setString(2, i == 0 ? null : "n" + i);
        s.addBatch();
      }
      int done = 0;
      for (int n : s.executeBatch()) {
        done += n;
      }
      check("batch", done, 3);
    }
    try (Statement s = connection.createStatement()) {
      check("updated", s.executeUpdate("UPDATE kept SET name = 'x' WHERE id >= 1"), 2);
      try (ResultSet r = s.executeQuery("SELECT count(*), count(name) FROM kept")) {
        check("rows written", r.next() && r.getInt(1) == 3 && r.getInt(2) == 2, true);
      }
      s.execute("DROP SCHEMA main.jdbc CASCADE");
    }
  }

  static void errors(Connection connection) throws SQLException {
    try (Statement s = connection.createStatement()) {
      s.executeQuery("SELECT * FROM main.sales.nothing");
      throw new AssertionError("no error for an unknown table");
    } catch (SQLException e) {
      check("error", e.getMessage().contains("[TABLE_OR_VIEW_NOT_FOUND]"), true);
      check("state", e.getSQLState(), "42P01");
    }
  }
}

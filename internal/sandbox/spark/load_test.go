package spark_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/seed"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

func TestLoadFile(t *testing.T) {
	t.Parallel()
	b := open(t)
	file := filepath.Join(t.TempDir(), "odd [name]*.csv")
	if err := os.WriteFile(file, []byte("id,full name\n00123,\"a \"\"b\"\"\nx\"\n,\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	n, err := b.engine.LoadFile(t.Context(), "shop.web.`my-table`", file)
	if err != nil || n != 2 {
		t.Fatalf("%d rows, %v", n, err)
	}
	want(t, b.connect(), "SELECT id, `full name` FROM shop.web.`my-table` ORDER BY id", "NULL|NULL", "123|a \"b\"\nx")
	if _, err := b.engine.LoadFile(t.Context(), "t", file); err == nil {
		t.Error("got no error for a name of one part")
	}
}

func TestSeedIsTheSameAsOnDuckDB(t *testing.T) {
	t.Parallel()
	b := open(t)
	s, err := b.engine.OpenSession(t.Context(), warehouse.SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if err := seed.Tables(t.Context(), s, 200, nil); err != nil {
		t.Fatal(err)
	}
	conn := b.connect()
	want(t, conn, "SELECT count(*), count(DISTINCT customer_id), count_if(isnan(score)) FROM main.sales.customers", "200|200|1")
	want(t, conn, "SELECT count(*) FROM main.sales.orders", "400")
	want(t, conn, "SELECT count(*) FROM marketing.`e-mail`.`Survey Results (2024)`", "500")
}

package duck

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/catalog"
)

// The catalog is stored in DuckDB, in the same transactions as the data: one document for
// each object, and one for each version of a table.
const storeSchema = `
CREATE TABLE IF NOT EXISTS sandbox_objects (id BIGINT, kind VARCHAR, doc VARCHAR);
CREATE TABLE IF NOT EXISTS sandbox_versions (id BIGINT, n BIGINT, doc VARCHAR);
CREATE TABLE IF NOT EXISTS sandbox_files (id BIGINT, file VARCHAR);`

// loadCatalog loads the catalog. It creates the default catalogs in an empty database.
func (e *Engine) loadCatalog(ctx context.Context, conn *sql.Conn) error {
	if _, err := conn.ExecContext(ctx, storeSchema); err != nil {
		return fmt.Errorf("create the catalog's tables: %w", err)
	}
	snap := &catalog.Snapshot{Catalogs: map[string]*catalog.Catalog{}}
	tables := map[int64]*catalog.Table{}
	load := func(kind string, add func(doc []byte) error) error {
		return eachDocument(ctx, conn, "SELECT doc FROM sandbox_objects WHERE kind = '"+kind+"' ORDER BY id", add)
	}
	err := load("catalog", func(doc []byte) error {
		c := &catalog.Catalog{Schemas: map[string]*catalog.Schema{}}
		if err := json.Unmarshal(doc, c); err != nil {
			return err
		}
		e.lastID = max(e.lastID, c.ID)
		snap.Catalogs[strings.ToLower(c.Name)] = c
		return nil
	})
	if err == nil {
		err = load("schema", func(doc []byte) error {
			s := &catalog.Schema{Tables: map[string]*catalog.Table{}}
			if err := json.Unmarshal(doc, s); err != nil {
				return err
			}
			e.lastID = max(e.lastID, s.ID)
			c, err := snap.Catalog(s.Catalog)
			if err == nil {
				c.Schemas[strings.ToLower(s.Name)] = s
			}
			return err
		})
	}
	if err == nil {
		err = load("table", func(doc []byte) error {
			t := &catalog.Table{}
			if err := json.Unmarshal(doc, t); err != nil {
				return err
			}
			e.lastID = max(e.lastID, t.ID)
			tables[t.ID] = t
			s, err := snap.Schema(t.Catalog, t.Schema)
			if err == nil {
				s.Tables[strings.ToLower(t.Name)] = t
			}
			return err
		})
	}
	if err == nil {
		err = e.loadVersions(ctx, conn, tables)
	}
	if err != nil {
		return fmt.Errorf("read the stored catalog: %w", err)
	}
	e.snapshot = snap
	if len(snap.Catalogs) == 0 {
		return e.createDefaults(ctx, conn)
	}
	return e.dropOrphans(ctx, conn, tables)
}

func (e *Engine) loadVersions(ctx context.Context, conn *sql.Conn, tables map[int64]*catalog.Table) error {
	rows, err := conn.QueryContext(ctx, "SELECT id, doc FROM sandbox_versions ORDER BY id, n")
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id int64
		var doc string
		if err := rows.Scan(&id, &doc); err != nil {
			return err
		}
		v := &catalog.Version{}
		if err := json.Unmarshal([]byte(doc), v); err != nil {
			return err
		}
		if t := tables[id]; t != nil {
			t.Versions = append(t.Versions, v)
			if v.At.After(e.lastAt) {
				e.lastAt = v.At
			}
		}
	}
	return rows.Err()
}

// dropOrphans drops the physical tables that a killed process left behind.
func (e *Engine) dropOrphans(ctx context.Context, conn *sql.Conn, tables map[int64]*catalog.Table) error {
	used := map[string]bool{}
	for _, t := range tables {
		for _, v := range t.Versions[min(int(t.First), len(t.Versions)):] {
			used[v.Phys] = true
		}
	}
	var orphans []string
	err := eachDocument(
		ctx,
		conn,
		"SELECT table_name FROM duckdb_tables() WHERE table_name LIKE 't\\_%' ESCAPE '\\'",
		func(name []byte) error {
			var id int64
			if _, err := fmt.Sscanf(string(name), "t_%d", &id); err == nil {
				e.lastID = max(e.lastID, id)
			}
			if !used[string(name)] {
				orphans = append(orphans, string(name))
			}
			return nil
		},
	)
	if err != nil {
		return fmt.Errorf("look for orphaned physical tables: %w", err)
	}
	for _, name := range orphans {
		if _, err := conn.ExecContext(ctx, "DROP TABLE "+name); err != nil {
			return fmt.Errorf("drop the orphaned physical table %s: %w", name, err)
		}
	}
	return nil
}

// createDefaults creates the catalogs that every workspace has.
func (e *Engine) createDefaults(ctx context.Context, conn *sql.Conn) error {
	now := e.opts.Now().UTC()
	for _, name := range []string{"main", "hive_metastore"} {
		e.lastID += 2
		s := &catalog.Schema{ID: e.lastID, Catalog: name, Name: "default", Created: now, Tables: map[string]*catalog.Table{}}
		c := &catalog.Catalog{ID: e.lastID - 1, Name: name, Created: now, Schemas: map[string]*catalog.Schema{"default": s}}
		e.snapshot.Catalogs[name] = c
		if err := saveObject(ctx, conn, c.ID, "catalog", c); err != nil {
			return err
		}
		if err := saveObject(ctx, conn, s.ID, "schema", s); err != nil {
			return err
		}
	}
	return nil
}

func eachDocument(ctx context.Context, conn *sql.Conn, query string, f func([]byte) error) error {
	rows, err := conn.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var doc string
		if err := rows.Scan(&doc); err != nil {
			return err
		}
		if err := f([]byte(doc)); err != nil {
			return err
		}
	}
	return rows.Err()
}

// saveObject replaces an object's document.
func saveObject(ctx context.Context, conn *sql.Conn, id int64, kind string, object any) error {
	doc, err := json.Marshal(object)
	if err != nil {
		return fmt.Errorf("encode a %s: %w", kind, err)
	}
	if err := removeObject(ctx, conn, id); err != nil {
		return err
	}
	if _, err := conn.ExecContext(ctx, "INSERT INTO sandbox_objects VALUES (?, ?, ?)", id, kind, string(doc)); err != nil {
		return fmt.Errorf("store a %s: %w", kind, err)
	}
	return nil
}

func removeObject(ctx context.Context, conn *sql.Conn, id int64) error {
	if _, err := conn.ExecContext(ctx, "DELETE FROM sandbox_objects WHERE id = ?", id); err != nil {
		return fmt.Errorf("remove a stored object: %w", err)
	}
	return nil
}

func saveVersion(ctx context.Context, conn *sql.Conn, id int64, v *catalog.Version) error {
	doc, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode a version: %w", err)
	}
	if _, err := conn.ExecContext(ctx, "INSERT INTO sandbox_versions VALUES (?, ?, ?)", id, v.N, string(doc)); err != nil {
		return fmt.Errorf("store a version: %w", err)
	}
	return nil
}

func newUUID() string { return uuid.NewString() }

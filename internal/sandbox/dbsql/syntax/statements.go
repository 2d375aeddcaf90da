package syntax

import "github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"

// Statement is a parsed statement.
type Statement interface{ statement() }

// ColumnDef is a column of CREATE TABLE or ALTER TABLE.
type ColumnDef struct {
	Name    string
	Type    *types.Type
	NotNull bool
	Comment string
	Default Expr
	// DefaultText is the default as written.
	DefaultText string
	// First and After are the position of an added column.
	First bool
	After string
	// Key is the column's own key, or nil.
	Key *Key
}

// Property is a key with its value.
type Property struct{ Key, Value string }

// The statements.
type (
	// QueryStatement is SELECT, VALUES, TABLE or WITH.
	QueryStatement struct{ Query *Query }
	// CreateTable is CREATE [OR REPLACE] TABLE in all its forms.
	CreateTable struct {
		Name        []string
		OrReplace   bool
		IfNotExists bool
		Columns     []ColumnDef
		Keys        []Key
		Using       string
		Comment     *string
		Properties  []Property
		Cluster     []string
		Partition   []string
		As          *Query
		Text        string
	}
	// CreateView is CREATE [OR REPLACE] [TEMPORARY] VIEW.
	CreateView struct {
		Name        []string
		OrReplace   bool
		IfNotExists bool
		Temporary   bool
		Columns     []ColumnDef
		Comment     *string
		Properties  []Property
		Query       *Query
		// Text is the query as written.
		Text string
	}
	// CreateNamespace is CREATE CATALOG or SCHEMA.
	CreateNamespace struct {
		Catalog     bool
		Name        []string
		IfNotExists bool
		Comment     string
	}
	// Drop is DROP TABLE, VIEW, SCHEMA or CATALOG.
	Drop struct {
		Kind     string
		Name     []string
		IfExists bool
		Cascade  bool
	}
	// Alter is ALTER TABLE or VIEW with one action.
	Alter struct {
		View   bool
		Name   []string
		Action string
		// Columns are the columns to add, or the names of the columns to drop.
		Columns    []ColumnDef
		Names      []string
		IfExists   bool
		Column     string
		To         []string
		Properties []Property
		Keys       []string
		Comment    string
		Type       *types.Type
		NotNull    bool
		Default    Expr
		Text       string
		// Key is the key to add. A key to drop is named in To; without a name it is the
		// primary key.
		Key *Key
	}
	// CommentOn is COMMENT ON; a nil comment removes the comment.
	CommentOn struct {
		Kind    string
		Name    []string
		Comment *string
	}
	// Insert is INSERT INTO or OVERWRITE.
	Insert struct {
		Table     []string
		Overwrite bool
		ByName    bool
		Columns   []string
		Query     *Query
	}
	// Update is UPDATE.
	Update struct {
		Table []string
		Alias string
		Set   []Assignment
		Where Expr
	}
	// Delete is DELETE FROM.
	Delete struct {
		Table []string
		Alias string
		Where Expr
	}
	// Merge is MERGE INTO.
	Merge struct {
		Table   []string
		Alias   string
		Source  TableExpr
		On      Expr
		Clauses []MergeClause
	}
	// Truncate is TRUNCATE TABLE.
	Truncate struct{ Table []string }
	// Vacuum is VACUUM t RETAIN n HOURS.
	Vacuum struct {
		Table  []string
		Hours  *float64
		DryRun bool
	}
	// Optimize is OPTIMIZE t.
	Optimize struct{ Table []string }
	// Describe is DESCRIBE of a table, query, schema, catalog, history or detail.
	Describe struct {
		Kind     string
		Name     []string
		Extended bool
		Query    *Query
		Limit    Expr
	}
	// Show is SHOW.
	Show struct {
		Kind    string
		In      []string
		Pattern *string
		Key     string
	}
	// Use is USE CATALOG or SCHEMA.
	Use struct {
		Catalog bool
		Name    []string
	}
	// Set is SET key = value, or SET TIME ZONE.
	Set struct {
		Key   string
		Value *string
		Reset bool
	}
	// CopyInto is COPY INTO.
	CopyInto struct {
		Table []string
		// Columns is the column list in COPY INTO t (a, b).
		Columns []string
		Source  *FileSource
		// Items is the select list of FROM (SELECT ...); empty without it.
		Items   []SelectItem
		Format  string
		Files   []string
		Pattern string
		Options []Property
		Copy    []Property
		// Validate is VALIDATE [n ROWS | ALL].
		Validate bool
	}
)

// Assignment is column = value.
type Assignment struct {
	Column []string
	Value  Expr
}

// MergeClause is a WHEN clause of MERGE.
type MergeClause struct {
	// When is MATCHED, NOT MATCHED or NOT MATCHED BY SOURCE.
	When string
	Cond Expr
	// Do is UPDATE, DELETE or INSERT; All is UPDATE SET * or INSERT *.
	Do      string
	All     bool
	Set     []Assignment
	Columns []string
	Values  []Expr
}

func (*QueryStatement) statement()  {}
func (*CreateTable) statement()     {}
func (*CreateView) statement()      {}
func (*CreateNamespace) statement() {}
func (*Drop) statement()            {}
func (*Alter) statement()           {}
func (*CommentOn) statement()       {}
func (*Insert) statement()          {}
func (*Update) statement()          {}
func (*Delete) statement()          {}
func (*Merge) statement()           {}
func (*Truncate) statement()        {}
func (*Vacuum) statement()          {}
func (*Optimize) statement()        {}
func (*Describe) statement()        {}
func (*Show) statement()            {}
func (*Use) statement()             {}
func (*Set) statement()             {}
func (*CopyInto) statement()        {}

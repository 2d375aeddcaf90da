package syntax

import "github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"

// Expr is an expression.
type Expr interface{ expr() }

// The expressions.
type (
	// Null is the literal NULL.
	Null struct{}
	// Bool is TRUE or FALSE.
	Bool struct{ Value bool }
	// Str is a string literal.
	Str struct{ Value string }
	// Num is a numeric literal as written, including its suffix.
	Num struct{ Text string }
	// Bytes is X'...'.
	Bytes struct{ Value []byte }
	// Typed is DATE '...', TIMESTAMP '...' or TIMESTAMP_NTZ '...'.
	Typed struct {
		Type  *types.Type
		Value string
	}
	// Interval is INTERVAL n UNIT ...
	Interval struct {
		Values []Expr
		Units  []string
	}
	// Name is a column's name, with qualifiers before it or fields after it.
	Name struct{ Parts []string }
	// Star is * or t.*, with EXCEPT.
	Star struct {
		Qualifier []string
		Except    [][]string
	}
	// Unary is a prefix operator: -, + or NOT.
	Unary struct {
		Op string
		X  Expr
	}
	// Binary is an infix operator.
	Binary struct {
		Op   string
		L, R Expr
	}
	// Call is a function call.
	Call struct {
		Name     []string
		Args     []Expr
		Distinct bool
		Filter   Expr
		Over     *Window
		// WithinGroup is the order in WITHIN GROUP.
		WithinGroup []OrderItem
	}
	// Cast is CAST(X AS Type), TRY_CAST, or X::Type.
	Cast struct {
		X    Expr
		Type *types.Type
		Try  bool
	}
	// Case is CASE, with or without an operand.
	Case struct {
		Operand Expr
		Whens   []When
		Else    Expr
	}
	// In is X [NOT] IN (list or query).
	In struct {
		X     Expr
		List  []Expr
		Query *Query
		Not   bool
	}
	// Between is X [NOT] BETWEEN Low AND High.
	Between struct {
		X, Low, High Expr
		Not          bool
	}
	// Like is X [NOT] LIKE, ILIKE or RLIKE.
	Like struct {
		Op         string
		X, Pattern Expr
		Escape     string
		Not        bool
	}
	// Is is X IS [NOT] NULL, TRUE, FALSE or UNKNOWN.
	Is struct {
		X     Expr
		Value string
		Not   bool
	}
	// Exists is EXISTS (query).
	Exists struct{ Query *Query }
	// Subquery is a scalar subquery.
	Subquery struct{ Query *Query }
	// Lambda is x -> body.
	Lambda struct {
		Params []string
		Body   Expr
	}
	// Field is X.name.
	Field struct {
		X    Expr
		Name string
	}
	// Index is X[i].
	Index struct{ X, I Expr }
	// Param is a parameter marker: :name, or ? with its ordinal.
	Param struct {
		Name    string
		Ordinal int
	}
	// Named is name => value in a call.
	Named struct {
		Name string
		X    Expr
	}
	// Aliased is an argument with an alias: a AS b in struct(a AS b).
	Aliased struct {
		X    Expr
		Name string
	}
)

// When is one branch of CASE.
type When struct{ Cond, Then Expr }

// Window is the window of an OVER clause.
type Window struct {
	Partition []Expr
	Order     []OrderItem
}

// OrderItem is one key of ORDER BY.
type OrderItem struct {
	X          Expr
	Desc       bool
	NullsFirst bool
}

func (Null) expr()      {}
func (Bool) expr()      {}
func (Str) expr()       {}
func (Num) expr()       {}
func (Bytes) expr()     {}
func (Typed) expr()     {}
func (*Interval) expr() {}
func (*Name) expr()     {}
func (*Star) expr()     {}
func (*Unary) expr()    {}
func (*Binary) expr()   {}
func (*Call) expr()     {}
func (*Cast) expr()     {}
func (*Case) expr()     {}
func (*In) expr()       {}
func (*Between) expr()  {}
func (*Like) expr()     {}
func (*Is) expr()       {}
func (*Exists) expr()   {}
func (*Subquery) expr() {}
func (*Lambda) expr()   {}
func (*Field) expr()    {}
func (*Index) expr()    {}
func (*Param) expr()    {}
func (*Named) expr()    {}
func (*Aliased) expr()  {}

// Query is a query with its WITH, ORDER BY, LIMIT and OFFSET.
type Query struct {
	With          []CTE
	Body          QueryBody
	Order         []OrderItem
	Limit, Offset Expr
}

// CTE is a common table expression of WITH.
type CTE struct {
	Name    string
	Columns []string
	Query   *Query
}

// QueryBody is a Select, a SetOp, a Values or a Query in parentheses.
type QueryBody interface{ body() }

func (*Select) body() {}
func (*SetOp) body()  {}
func (*Values) body() {}
func (*Query) body()  {}

// Select is one SELECT block.
type Select struct {
	Distinct bool
	Items    []SelectItem
	From     []TableExpr
	Where    Expr
	Group    *GroupBy
	Having   Expr
	Qualify  Expr
}

// SelectItem is an expression with an optional alias.
type SelectItem struct {
	X     Expr
	Alias string
	// Aliases are the names for a generator with several columns: AS (k, v).
	Aliases []string
}

// GroupBy is GROUP BY with expressions or ALL.
type GroupBy struct {
	All  bool
	Keys []Expr
}

// SetOp is UNION, EXCEPT or INTERSECT.
type SetOp struct {
	Op   string
	All  bool
	L, R QueryBody
}

// Values is VALUES (...), (...).
type Values struct{ Rows [][]Expr }

// TableExpr is an item of FROM.
type TableExpr interface{ table() }

func (*TableName) table()     {}
func (*TableQuery) table()    {}
func (*TableFunction) table() {}
func (*Join) table()          {}
func (*LateralView) table()   {}
func (*FileSource) table()    {}

// TableName is the name of a table or view, perhaps with a version.
type TableName struct {
	Parts   []string
	Version Expr
	Alias
}

// Alias is AS name (columns).
type Alias struct {
	Name    string
	Columns []string
}

// TableQuery is a subquery in FROM.
type TableQuery struct {
	Query *Query
	Alias
}

// TableFunction is a table function such as range(n).
type TableFunction struct {
	Call *Call
	Alias
}

// LateralView is X LATERAL VIEW [OUTER] f(...) name AS columns.
type LateralView struct {
	X     TableExpr
	Outer bool
	Call  *Call
	Alias
}

// Join joins two tables. Kind is INNER, LEFT, RIGHT, FULL, CROSS, LEFT SEMI or
// LEFT ANTI.
type Join struct {
	Kind  string
	L, R  TableExpr
	On    Expr
	Using []string
}

// FileSource is the source of COPY INTO.
type FileSource struct {
	URL        string
	Credential map[string]string
	Alias
}

package spark

import (
	"context"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/quoting"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark/rewrite"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// deepCloneAt returns the index of DEEP in the tokens DEEP CLONE, or -1.
func deepCloneAt(tokens []syntax.Token) int {
	for i, t := range tokens[:len(tokens)-1] {
		if t.Kind == syntax.Word && t.Upper == "DEEP" && tokens[i+1].Upper == "CLONE" {
			return i
		}
	}
	return -1
}

// deepClone executes DEEP CLONE, which Spark does not have: it makes a shallow
// clone and then rewrites all rows, so that the table shares no file with its source.
func (s *session) deepClone(ctx context.Context, st *rewrite.Statement, tokens []syntax.Token) (warehouse.Result, error) {
	at := tokens[deepCloneAt(tokens)]
	result, err := s.command(ctx, st.Replace(at.Start, at.End, "SHALLOW"))
	if err != nil {
		return nil, err
	}
	t := st.Tables[0]
	name := quoting.Name(s.engine.names.Schema(t.Catalog, t.Schema), s.engine.names.Table(t.Name))
	if _, err := s.queryTexts(ctx, "INSERT OVERWRITE "+name+" SELECT * FROM "+name); err != nil {
		_ = result.Close()
		return nil, s.databricksError(err, st)
	}
	return result, nil
}

package lyticstest

import (
	"encoding/json"
	"net/http"

	"github.com/tidwall/gjson"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/expression"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

// evaluateExpression answers POST /v2/schema/expression/evaluate: the value of an
// expression for one event, as a string.
func (s *Server) evaluateExpression(r *request) reply {
	if r.Method != http.MethodPost {
		return s.unrouted(r)
	}
	if err := r.expects("application/json"); err != nil {
		return s.reject(r, "%v", err)
	}
	o, err := r.object("expression", "data")
	if err != nil {
		return s.reject(r, "%v", err)
	}
	data, err := json.Marshal(o["data"])
	if err != nil {
		return s.reject(r, "%v", err)
	}
	if s.understands(o.text("expression")) {
		return s.success(r, http.StatusOK, "")
	}
	e, err := expression.Parse(o.text("expression"))
	if err != nil {
		return s.refuse(r, http.StatusBadRequest, "SCHEMA-INVALID-018", err.Error())
	}
	columns := map[string]value.Value{}
	gjson.ParseBytes(data).ForEach(func(k, v gjson.Result) bool {
		columns[k.Str] = value.FromJSON(v)
		return true
	})
	v := e.Evaluate(columns, s.options.Now())
	if v.IsNull() && !s.options.EvaluateToNothing {
		return s.refuse(r, http.StatusBadRequest, "SCHEMA-INVALID-018", errNoValue.Error())
	}
	return s.success(r, http.StatusOK, v.Text())
}

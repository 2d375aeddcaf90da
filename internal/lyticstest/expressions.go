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
	e, err := expression.Parse(o.text("expression"))
	if err != nil {
		return s.refuse(r, http.StatusBadRequest, "SCHEMA-INVALID-018", err.Error())
	}
	var row []value.Value
	bound := e.Bind(func(column string) int {
		row = append(row, value.FromJSON(gjson.GetBytes(data, gjson.Escape(column))))
		return len(row) - 1
	})
	return s.success(r, http.StatusOK, bound.Eval(row).Text())
}

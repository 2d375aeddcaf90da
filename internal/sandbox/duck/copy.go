package duck

import (
	"context"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/bind"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/fault"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/syntax"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

func (s *session) copyInto(context.Context, *bind.Env, *syntax.CopyInto) (warehouse.Result, error) {
	return nil, fault.Unsupported("COPY INTO")
}

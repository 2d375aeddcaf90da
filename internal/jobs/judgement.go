package jobs

import "context"

// Draft is the text of a filter or an expression that is not stored yet.
type Draft struct {
	// Attribute is the Terraform attribute that holds the text. It tells the
	// language: filter, expression or guard_expression.
	Attribute string `json:"attribute"`
	Text      string `json:"text"`
}

// Arbiter names the side that decides whether a text is valid.
type Arbiter string

// The arbiters.
const (
	// ArbiterEmbedded is the embedded platform, which decides with the parsers of
	// this product.
	ArbiterEmbedded Arbiter = "embedded"
	// ArbiterLytics is a Lytics account, which decides with its own.
	ArbiterLytics Arbiter = "lytics"
)

// Judgement says whether the platform takes a text.
type Judgement struct {
	Arbiter Arbiter `json:"arbiter"`
	// Refusal says why the platform would refuse the text. It is zero if the
	// platform takes it.
	Refusal Failure `json:"refusal,omitzero"`
	// Doubts are reasons why the text may not work that do not refuse it.
	Doubts []Failure `json:"doubts,omitempty"`
}

// Judge is the part of API that checks texts before they are stored.
type Judge interface {
	// JudgeDraft asks the platform whether it takes a text. It needs no store and
	// changes nothing. Its error means that the platform gave no answer, for
	// example because a Lytics account cannot be reached.
	JudgeDraft(ctx context.Context, d Draft) (Judgement, error)
}

package lytics

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// account is a Lytics account.
type account struct{ id, name string }

func (a account) String() string {
	if a.name == "" {
		return a.id
	}
	return fmt.Sprintf("%s (%s)", a.name, a.id)
}

// accountCheck remembers the last token that was found to belong to the store's account.
type accountCheck struct {
	mu      sync.Mutex
	checked jobs.Secret
}

// The paths at which the API returns a token's account, in the order in which they are
// tried. accountPathV1 is the path of the published description.
const (
	accountPath   = "/v2/account"
	accountPathV1 = "/api/account"
)

// CheckAccount fails if the API token belongs to another account than the store. Cursors,
// definitions and scans are valid for one account only: with another account, a run would
// skip rows, or export an empty audience. A store without an account is bound to the
// token's account, and bound describes that account. If Lytics cannot be reached and the
// store has an account, CheckAccount succeeds, because a run without events to send does
// not need Lytics.
func (p *Platform) CheckAccount(ctx context.Context) (bound string, err error) {
	_, bound, err = p.checkedToken(ctx, definitionPatience)
	if !jobs.IsCode(err, jobs.CodeUnreachable) {
		return bound, err
	}
	if owner, ownerErr := p.owner(ctx); ownerErr != nil || owner.id == "" {
		return "", err
	}
	return "", nil
}

// maxRenewals is the number of times that the token may change while its account is read.
const maxRenewals = 3

// checkedToken returns a token that belongs to the store's account. Every call except the
// one that reads the account uses such a token.
func (p *Platform) checkedToken(ctx context.Context, patience time.Duration) (token jobs.Secret, bound string, err error) {
	p.accountCheck.mu.Lock()
	defer p.accountCheck.mu.Unlock()
	var own account
	for n := 0; ; n++ {
		token, err = p.token.get(ctx)
		if err != nil || token == p.accountCheck.checked {
			return token, "", err
		}
		if own, err = p.ownAccount(ctx, patience); err != nil {
			return jobs.Secret{}, "", err
		}
		// If the token was refused and read again, the response is about another token.
		now, err := p.token.get(ctx)
		if err != nil {
			return jobs.Secret{}, "", err
		}
		if now == token {
			break
		}
		if n == maxRenewals {
			return jobs.Secret{}, "", &jobs.Error{
				Code: jobs.CodeUnauthorized, Attribute: tokenAttribute, Summary: "There is no usable API token for Lytics",
				Detail: fmt.Sprintf("the token changed %d times while its account was read", n+1), Next: tokenNext,
			}
		}
	}
	owner, err := p.owner(ctx)
	if err != nil {
		return jobs.Secret{}, "", err
	}
	if owner.id == "" {
		if owner, err = p.bind(ctx, own); err != nil {
			return jobs.Secret{}, "", err
		}
		bound = own.String()
	}
	if owner.id != own.id {
		return jobs.Secret{}, "", otherAccount(p.db.Place(), owner, own)
	}
	p.accountCheck.checked = token
	return token, bound, nil
}

func otherAccount(place string, owner, own account) error {
	return &jobs.Error{
		Code: jobs.CodeStore, Attribute: tokenAttribute, Summary: "The store belongs to another Lytics account",
		Detail: fmt.Sprintf("the store in %s belongs to account %s, and the API token to account %s, in which nothing was read or changed",
			place, owner, own),
		Next: "Use an API token of account " + owner.id + ", or set platform.lytics.account_id to it; for account " + own.id +
			" use a store of its own: another data_dir or database_url, or another runner",
	}
}

// owner returns the account of the store; it is empty if the store has none.
func (p *Platform) owner(ctx context.Context) (a account, err error) {
	err = p.db.Read().QueryRowContext(ctx, `SELECT account_id, name FROM lytics_account`).Scan(&a.id, &a.name)
	if errors.Is(err, sql.ErrNoRows) {
		return account{}, nil
	}
	return a, p.storeError(ctx, "Cannot read which Lytics account the store belongs to", err)
}

// StoreAccount returns the id of the account that the store belongs to; it is empty if
// the store belongs to none.
func (p *Platform) StoreAccount(ctx context.Context) (string, error) {
	owner, err := p.owner(ctx)
	return owner.id, err
}

// AccountOf names the Lytics account that a store belongs to, for people; it is
// empty if the store belongs to none.
func AccountOf(ctx context.Context, db *store.DB) (string, error) {
	p := &Platform{db: db}
	owner, err := p.owner(ctx)
	if err != nil || owner.id == "" {
		return "", err
	}
	return owner.String(), nil
}

// bind binds the store to an account, unless another process has bound it, and returns the
// store's account.
func (p *Platform) bind(ctx context.Context, a account) (account, error) {
	err := p.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO lytics_account (one, account_id, name, bound_at) VALUES (1, ?, ?, ?) ON CONFLICT DO NOTHING`,
			a.id, a.name, p.clock.Now().UnixMicro())
		return err
	})
	if err != nil {
		return account{}, p.storeError(ctx, "Cannot record which Lytics account the store belongs to", err)
	}
	return p.owner(ctx)
}

// accountEntry is an account in a response of the API. The first version of the API writes
// numbers as strings in some accounts.
type accountEntry struct {
	ID     string      `json:"id"`
	Name   string      `json:"name"`
	AID    json.Number `json:"aid"`
	Parent json.Number `json:"parentaid"`
}

// ownAccount returns the account of the token, or the account of account_id.
func (p *Platform) ownAccount(ctx context.Context, patience time.Duration) (account, error) {
	summary := "Cannot tell which Lytics account the API token belongs to"
	c := p.get(summary, accountPath)
	c.right = "read its own account, which tells whether the store belongs to it"
	c.anyAccount, c.patience = true, patience
	entries, err := p.accountEntries(ctx, c)
	if hasStatus(err, http.StatusNotFound, http.StatusMethodNotAllowed) && !isContainer(err) {
		c.path = accountPathV1
		entries, err = p.accountEntries(ctx, c)
	}
	if err != nil {
		return account{}, err
	}
	for _, e := range entries {
		own := len(entries) == 1 || e.AID == e.Parent
		if p.account != "" {
			own = p.account == e.ID || p.account == e.AID.String()
		}
		if id := cmp.Or(e.ID, e.AID.String()); own && id != "" {
			return account{id, e.Name}, nil
		}
	}
	if p.account != "" {
		return account{}, &jobs.Error{
			Code: jobs.CodeInvalid, Attribute: "platform.lytics.account_id", Summary: summary,
			Detail: fmt.Sprintf("the API token has no right to account %s; its accounts are %s", p.account, entryList(entries)),
			Next:   "Correct account_id, or use a token of that account",
		}
	}
	return account{}, &jobs.Error{
		Code: jobs.CodeInvalid, Attribute: "platform.lytics.account_id", Summary: summary,
		Detail: "the API token has several accounts: " + entryList(entries), Next: "Set account_id to one of them",
	}
}

func entryList(entries []accountEntry) string {
	var names []string
	for _, e := range entries {
		names = append(names, account{cmp.Or(e.ID, e.AID.String()), e.Name}.String())
	}
	return shorten(strings.Join(names, ", "))
}

// accountEntries reads one account or a list of them.
func (p *Platform) accountEntries(ctx context.Context, c call) ([]accountEntry, error) {
	var data json.RawMessage
	if err := p.into(ctx, c, &data); err != nil {
		return nil, err
	}
	var list []accountEntry
	if err := json.Unmarshal(data, &list); err != nil {
		list = make([]accountEntry, 1)
		if err := json.Unmarshal(data, &list[0]); err != nil {
			return nil, c.malformed(err)
		}
	}
	check := func(e accountEntry) error {
		if e.ID == "" && e.AID == "" {
			return errors.New("an account has no id")
		}
		return nil
	}
	if len(list) == 0 {
		return nil, c.malformed(errors.New("it has no account"))
	}
	if err := firstError(list, check); err != nil {
		return nil, c.malformed(err)
	}
	return list, nil
}

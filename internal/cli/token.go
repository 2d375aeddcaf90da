package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// tokenFlags are the flags of the command.
type tokenFlags struct {
	name, role, id string
	expires, keep  time.Duration
}

var tokenCommands = []command{
	{use: "create", summary: "make a token, and print it once", setup: setupTokenCreate, example: "token create --name ci --role operate"},
	{use: "list", summary: "list the valid tokens, without their texts", setup: setupTokenList},
	{use: "rotate", summary: "make a further token of a name; the earlier ones expire after --keep", setup: setupTokenRotate,
		example: "token rotate --name ci --keep 24h"},
	{use: "revoke", summary: "make tokens invalid at once, with the sessions that they opened", setup: setupTokenRevoke,
		example: "token revoke --name ci"},
	{use: "link", summary: "print a link that signs in to the runner's page once, with the caller's token", setup: setupTokenLink,
		example: "token link --url https://runner.example.com:8088"},
}

// tokenName declares --name.
func tokenName(flags *pflag.FlagSet, f *tokenFlags) {
	flags.StringVar(&f.name, "name", "", "the token's name, which the audit log shows")
}

// needsName is the error of a command without --name.
func (f tokenFlags) needsName(verb string) error {
	if f.name != "" {
		return nil
	}
	return jobs.Invalid("name", "No token is named", "The command token "+verb+" needs a name.", "Add --name")
}

func setupTokenCreate(flags *pflag.FlagSet, in *invocation) func(context.Context) error {
	var f tokenFlags
	tokenName(flags, &f)
	flags.StringVar(&f.role, "role", "", "read (reads everything), operate (also runs, cancels, pauses, resumes, and handles rejected "+
		"rows), or admin (also definitions, erasure and tokens)")
	flags.DurationVar(&f.expires, "expires", 0, "how long the token is valid, such as 2160h; 0 means until it is revoked")
	return withAPI(flags, in, func(ctx context.Context) error {
		if err := f.needsName("create"); err != nil {
			return err
		}
		if f.expires%time.Second != 0 {
			return jobs.Invalid("expires", "The lifetime is not in whole seconds", fmt.Sprintf("It is %s.", f.expires), "Use a time such as 2160h")
		}
		token, err := in.api.CreateToken(ctx, jobs.TokenSpec{
			Name: f.name, Role: jobs.Role(f.role), ExpiresInSeconds: int64(f.expires / time.Second),
		})
		return in.printNewToken(token, err)
	})
}

func setupTokenLink(flags *pflag.FlagSet, in *invocation) func(context.Context) error {
	return withAPI(flags, in, func(ctx context.Context) error {
		code, err := in.api.CreateSignInCode(ctx)
		if err != nil {
			return err
		}
		var link string
		if l, ok := in.api.(jobs.SignInLinker); ok {
			link = l.SignInURL(code.Code)
		}
		if link == "" {
			return jobs.Invalid("url", "The address of the runner's page is not known", "The runner did not note one in its data directory.",
				"Name the runner with --url (LYTICS_RUNNER_URL)")
		}
		if in.json {
			return writeJSON(in, []map[string]any{{"url": link, "expires_at": code.ExpiresAt}})
		}
		_, _ = fmt.Fprintf(in.errOut, "The link signs in once, and is valid until %s. Who has it has the rights of your token.\n", formatTime(&code.ExpiresAt))
		_, err = fmt.Fprintln(in.out, link)
		return err
	})
}

func setupTokenList(flags *pflag.FlagSet, in *invocation) func(context.Context) error {
	return withAPI(flags, in, in.listTokens)
}

func setupTokenRotate(flags *pflag.FlagSet, in *invocation) func(context.Context) error {
	var f tokenFlags
	tokenName(flags, &f)
	flags.DurationVar(&f.keep, "keep", 24*time.Hour, "how much longer the earlier tokens of the name are valid")
	return withAPI(flags, in, func(ctx context.Context) error {
		if err := f.needsName("rotate"); err != nil {
			return err
		}
		token, err := in.api.RotateToken(ctx, f.name, int64(f.keep/time.Second))
		return in.printNewToken(token, err)
	})
}

func setupTokenRevoke(flags *pflag.FlagSet, in *invocation) func(context.Context) error {
	var f tokenFlags
	tokenName(flags, &f)
	flags.StringVar(&f.id, "id", "", "only the token with this id, where several have the name")
	return withAPI(flags, in, func(ctx context.Context) error {
		if f.id == "" {
			if err := f.needsName("revoke"); err != nil {
				return err
			}
		}
		return in.revokeToken(ctx, f)
	})
}

// printNewToken prints the token alone to the standard output, so that a script can
// read it, and what there is to know to the other output.
func (in *invocation) printNewToken(t jobs.NewToken, err error) error {
	if err != nil {
		return err
	}
	if in.json {
		return writeJSON(in, []map[string]any{{"id": t.ID, "name": t.Name, "role": t.Role, "created_at": t.CreatedAt, "expires_at": t.ExpiresAt,
			"token": t.Secret.Reveal()}})
	}
	until := "until it is revoked"
	if t.ExpiresAt != nil {
		until = "until " + formatTime(t.ExpiresAt)
	}
	_, _ = fmt.Fprintf(in.errOut, "The token %s (%s) has the role %s and is valid %s. It is shown only now: the store has only its hash.\n",
		t.Name, t.ID, t.Role, until)
	_, err = fmt.Fprintln(in.out, t.Secret.Reveal())
	return err
}

func (in *invocation) listTokens(ctx context.Context) error {
	all, err := in.api.Tokens(ctx)
	if err != nil {
		return err
	}
	if in.json {
		return writeJSON(in, all)
	}
	w := in.table("NAME", "ROLE", "ID", "CREATED", "BY", "EXPIRES")
	for _, t := range all {
		w.row(t.Name, string(t.Role), t.ID, formatTime(&t.CreatedAt), orDash(t.CreatedBy), formatTime(t.ExpiresAt))
	}
	return w.print()
}

func (in *invocation) revokeToken(ctx context.Context, f tokenFlags) error {
	which := f.name
	if f.id != "" {
		which = f.id
	}
	n, err := in.api.RevokeToken(ctx, which)
	if err != nil {
		return err
	}
	if in.json {
		return writeJSON(in, []map[string]int64{{"revoked": n}})
	}
	_, err = fmt.Fprintf(in.out, "%d of the tokens were revoked. The sessions that were opened with them have ended.\n", n)
	return err
}

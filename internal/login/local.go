package login

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/egress"
)

const (
	// maxToken limits the size of a file or an output with a token, in bytes.
	maxToken = 64 << 10
	// commandTimeout limits the time of a command.
	commandTimeout = time.Minute
)

// tokenFile reads an access token from a file.
func (a *attempt) tokenFile(path string) (Token, error) {
	text, err := a.readToken(path)
	if err != nil {
		return Token{}, err
	}
	return newToken(text, time.Time{}), nil
}

// readToken reads the token that is the content of a file.
func (a *attempt) readToken(path string) (string, error) {
	text, err := egress.ReadFile(path, maxToken)
	if err != nil {
		return "", a.invalid("The file with the token cannot be read", fmt.Sprintf("%v, in the process that executes the run.", err),
			"Give the path of a file that this process can read, with the token and nothing else in it")
	}
	token := strings.TrimSpace(string(text))
	a.transport.learn(token)
	if token == "" {
		return "", a.invalid("The file with the token is empty", fmt.Sprintf("%s has no text.", path),
			"Write the token to the file and run again")
	}
	return token, nil
}

// readVariable reads an identity token from the environment.
func (a *attempt) readVariable(name string) (string, error) {
	token := strings.TrimSpace(a.options.Getenv(name))
	a.transport.learn(token)
	if token == "" {
		return "", a.invalid(fmt.Sprintf("The environment variable %s is empty", name),
			"The login reads its identity token there, in the process that executes the run.", "Set the variable and run again")
	}
	return token, nil
}

// tokenCommand runs a program that prints an access token.
func (a *attempt) tokenCommand(command []string) (Token, error) {
	output, err := a.run(command)
	switch failed, ok := errors.AsType[*commandError](err); {
	case ok:
		// The program's messages may have a secret that this process does not know.
		return Token{}, a.invalid(fmt.Sprintf("The command %s gave no token", command[0]), failed.reason+".",
			"Run it by hand as the user of the process that executes the run, and read its messages, which are not repeated here")
	case err != nil:
		return Token{}, err
	}
	token, ok := printedToken(output)
	if !ok {
		return Token{}, a.invalid(fmt.Sprintf("The output of the command %s has no token", command[0]),
			"It is neither a token alone nor a JSON object with access_token. It is not repeated here.",
			"Let it print the token alone, or JSON with access_token and, if it is known, expiry or expires_on")
	}
	return token, nil
}

// printedToken reads the output of a command: a token, or JSON as the command lines of
// Databricks ("databricks auth token") and Azure ("az account get-access-token") print.
func printedToken(output []byte) (Token, bool) {
	text := strings.TrimSpace(string(output))
	if !strings.HasPrefix(text, "{") {
		return newToken(text, time.Time{}), text != "" && !strings.ContainsAny(text, " \t\r\n")
	}
	var printed struct {
		AccessToken string      `json:"access_token"`
		AzureToken  string      `json:"accessToken"`
		Expiry      time.Time   `json:"expiry"`
		ExpiresOn   json.Number `json:"expires_on"`
		// AzureExpiry is in the zone of the machine. Older command lines print it alone.
		AzureExpiry string `json:"expiresOn"`
	}
	if json.Unmarshal([]byte(text), &printed) != nil {
		return Token{}, false
	}
	token, expires := printed.AccessToken, printed.Expiry
	if token == "" {
		token = printed.AzureToken
	}
	if expires.IsZero() {
		expires = epoch(printed.ExpiresOn)
	}
	if expires.IsZero() {
		expires, _ = time.ParseInLocation("2006-01-02 15:04:05.999999", printed.AzureExpiry, time.Local)
	}
	return newToken(token, expires), token != ""
}

// commandError is the failure of a program.
type commandError struct {
	// reason has no text of the program; messages is what it wrote to standard error.
	reason, messages string
	missing          bool
}

func (e *commandError) Error() string { return e.reason }

// run executes a program, without a shell, and returns what it prints. Its environment
// is that of this process without the settings of this product, which have secrets.
func (a *attempt) run(command []string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(a.ctx, commandTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.WaitDelay = 2 * time.Second // a child of the program may keep the pipes open
	cmd.Env = []string{}
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "LYTICS_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	output, messages := &limitedBuffer{most: maxToken}, &limitedBuffer{most: maxToken}
	cmd.Stdout, cmd.Stderr = output, messages
	err := cmd.Run()
	failed := &commandError{messages: messages.content.String()}
	exit, exited := errors.AsType[*exec.ExitError](err)
	switch {
	case a.ctx.Err() != nil:
		return nil, context.Cause(a.ctx)
	case ctx.Err() != nil:
		failed.reason = fmt.Sprintf("It did not end within %s", commandTimeout)
	case output.exceeded:
		failed.reason = fmt.Sprintf("It printed more than %d bytes", maxToken)
	case err == nil:
		if token, ok := printedToken(output.content.Bytes()); ok {
			a.transport.learn(token.Secret.Reveal())
		}
		return output.content.Bytes(), nil
	case exited:
		failed.reason = fmt.Sprintf("It ended with the status %d", exit.ExitCode())
	default:
		failed.reason, failed.missing = err.Error(), errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist)
	}
	return nil, failed
}

// limitedBuffer keeps what is written to it, up to a size. It is an error to write more,
// which ends the program that writes. It has no other methods of bytes.Buffer, since
// io.Copy would call them in place of Write.
type limitedBuffer struct {
	content  bytes.Buffer
	most     int
	exceeded bool
}

func (b *limitedBuffer) Write(p []byte) (int, error) {
	if b.content.Len()+len(p) > b.most {
		b.exceeded = true
		return 0, errors.New("too much output")
	}
	return b.content.Write(p)
}

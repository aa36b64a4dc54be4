package enroll

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"cassini/model"
)

// calledFile of the data directory has what a manager without TLS calls this host.
const calledFile = "name.json"

// How long a manager is asked what this host is called, and how long to wait between.
const (
	askCalled   = 10 * time.Second
	calledAgain = 250 * time.Millisecond
)

// called is what is kept of its answer.
type called struct {
	Manager string `json:"manager"` // that was asked
	Name    string `json:"name"`    // of this machine then
	Host    string `json:"host"`    // what it is called
}

// CallRequest is what Called needs.
type CallRequest struct {
	Dir     string // exists and is writable
	Manager string // URL
	Name    string // of this machine
	// Ask asks the manager. Errors that wrap Final end the asking.
	Ask   func(ctx context.Context) (string, error)
	Final error
}

// Called is what a manager without TLS calls this host: its host name, or where another
// machine has that, the same with a number. The answer is kept for as long as manager and host
// name stay. On an error it is the host name, for want of anything better: that the manager
// could not be asked, or does not know.
func Called(ctx context.Context, r CallRequest) (string, error) {
	path := filepath.Join(r.Dir, calledFile)
	raw, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return r.Name, fmt.Errorf("read what this host is called: %w", err)
	}
	var kept called
	if json.Unmarshal(raw, &kept) == nil && kept.Manager == r.Manager && kept.Name == r.Name && mayBeCalled(r.Name, kept.Host) {
		return kept.Host, nil
	}
	host, err := r.ask(ctx)
	if err != nil {
		return r.Name, fmt.Errorf("ask the manager what this host is called: %w", err)
	}
	if !mayBeCalled(r.Name, host) {
		return r.Name, fmt.Errorf("ask the manager what this host is called: %w: it says %q", ErrInvalid, host)
	}
	raw, err = json.Marshal(called{r.Manager, r.Name, host})
	if err != nil {
		return host, fmt.Errorf("encode what this host is called: %w", err)
	}
	return host, writeFile(path, append(raw, '\n'))
}

// CalledAnew is Called for a machine that has a copy of what another one was called: what is
// kept does not count. Errors wrap ErrInvalid where it is called the same, or the cause.
func CalledAnew(ctx context.Context, r CallRequest, copied string) (string, error) {
	if err := os.Remove(filepath.Join(r.Dir, calledFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("forget what this host is called: %w", err)
	}
	host, err := Called(ctx, r)
	if err == nil && host == copied {
		err = fmt.Errorf("ask the manager what this host is called: %w: it says %q again", ErrInvalid, host)
	}
	return host, err
}

// mayBeCalled says whether a machine of a name can be called so.
func mayBeCalled(name, host string) bool {
	_, n := model.CutNamesake(host)
	return host == name || n > 1 && host == model.Namesake(name, n)
}

// ask asks until there is an answer, for a while.
func (r CallRequest) ask(ctx context.Context) (host string, err error) {
	ctx, cancel := context.WithTimeout(ctx, askCalled)
	defer cancel()
	for {
		now, errNow := r.Ask(ctx)
		if errNow == nil || r.Final != nil && errors.Is(errNow, r.Final) {
			return now, errNow
		}
		if ctx.Err() == nil || err == nil {
			err = errNow // and not that there was no time left
		}
		select {
		case <-ctx.Done():
			return "", cmp.Or(err, ctx.Err())
		case <-time.After(calledAgain):
		}
	}
}

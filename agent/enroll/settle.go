package enroll

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"cassini/model"
	"cassini/model/claim"
)

// machineFile of the data directory says on which machine this host got its name.
const machineFile = "machine.json"

// How long a manager is asked whether this is the machine that it knows by a name, where this
// is open: while it is not reached, and while it waits to see. Beyond, it is asked this often.
const (
	askSettled  = 10 * time.Second
	waitSettled = time.Minute
	askAlways   = 15 * time.Second
)

// housed is what is kept of the machine that has a name.
type housed struct {
	Host    string        `json:"host"`
	Machine model.Machine `json:"machine"`
	CopyOf  string        `json:"copy_of,omitempty"` // whose data directory this is a copy of
}

// Settling is what Settle needs.
type Settling struct {
	Dir     string // exists and is writable
	Host    string // the name that the data directory has
	Machine model.Machine
	// Ask asks the manager whether this machine has that name. Errors that wrap Another say that
	// another one has it, those that wrap Older that the manager does not know such questions,
	// those that wrap ShutOut that it answers none of this host; others pass.
	Ask                     func(ctx context.Context) error
	Another, Older, ShutOut error
	// Anew gets another name; nil says that the manager gives none.
	Anew   func(ctx context.Context) (string, error)
	Logger *slog.Logger
}

// Settled is who this host is.
type Settled struct {
	Host string
	// CopyOf is the host of whose data directory this one's is a copy; "" for most.
	CopyOf string
	// Doubted says that this may be another machine, and that the manager could not be asked.
	Doubted bool
}

// ErrCopy says that this is another machine than the one that has its name, and got none of its own.
var ErrCopy = errors.New("another machine has this name")

// Settle sees that this is the machine on which the data directory got its name, and not
// another one, which has a copy. A copy does not go on under that name, nor with what was
// left to be said: it gets a name of its own. Where that cannot be told the manager is asked,
// for a while. Errors wrap ErrCopy.
func Settle(ctx context.Context, s Settling) (Settled, error) {
	kept := s.read()
	is := claim.Untold
	if kept.Host == s.Host {
		is = claim.Weigh(kept.Machine, s.Machine, true)
	} else {
		kept = housed{Host: s.Host}
	}
	switch is {
	case claim.Itself:
	case claim.Another:
		s.Logger.Warn("the data directory is of another machine, and this one has a copy of it: it asks the manager for a name of its own", "host", s.Host, "was", kept.Machine, "is", s.Machine)
		return s.asCopy(ctx)
	default:
		switch err := s.ask(ctx, false); {
		case errors.Is(err, s.Another):
			s.Logger.Warn("the manager knows another machine by this name: this one has a copy of its data directory, and asks for a name of its own", "host", s.Host, "error", err)
			return s.asCopy(ctx)
		case err != nil:
			if ctx.Err() == nil && !errors.Is(err, s.Older) {
				s.Logger.Warn("whether this is the machine that the manager knows by this name could not be asked; it is taken for it", "host", s.Host, "error", err)
			}
			return Settled{s.Host, kept.CopyOf, is == claim.Open}, nil
		}
	}
	return Settled{Host: s.Host, CopyOf: kept.CopyOf}, s.keep(housed{s.Host, s.Machine.Over(kept.Machine), kept.CopyOf})
}

// asCopy gets a name of its own, however long that takes.
func (s Settling) asCopy(ctx context.Context) (Settled, error) {
	err := s.ask(ctx, true)
	if errors.Is(err, s.Another) && s.Anew == nil {
		err = s.waits(ctx, err)
	}
	if err == nil { // the manager knows better
		return Settled{Host: s.Host}, s.keep(housed{Host: s.Host, Machine: s.Machine})
	}
	if !errors.Is(err, s.Another) || s.Anew == nil {
		return Settled{}, fmt.Errorf("%w, and this one has a copy of its data directory (%s): %w", ErrCopy, s.Host, err)
	}
	host, err := s.Anew(ctx)
	if err != nil {
		return Settled{}, fmt.Errorf("%w, and this one has a copy of its data directory (%s); get a name of its own: %w", ErrCopy, s.Host, err)
	}
	s.Logger.Warn("this machine has a name of its own from now on; what the copy had to say is not sent", "host", host, "copy_of", s.Host)
	return Settled{Host: host, CopyOf: s.Host}, s.keep(housed{host, s.Machine, s.Host})
}

// waits asks on, since a certificate of its own may take the place of the one that this machine
// shows.
func (s Settling) waits(ctx context.Context, err error) error {
	s.Logger.Error("this machine needs a certificate of its own, with a name of its own, of the authority that gave this one: it waits, and says nothing until then", "host", s.Host, "error", err)
	for errors.Is(err, s.Another) {
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(askAlways):
		}
		err = s.ask(ctx, true)
	}
	return err
}

// ask asks until there is an answer that stands: for as long as it takes, or for a while.
func (s Settling) ask(ctx context.Context, always bool) error {
	begin, wait := time.Now(), calledAgain
	for {
		err := s.Ask(ctx)
		if err == nil || errors.Is(err, s.Another) || errors.Is(err, s.Older) || errors.Is(err, s.ShutOut) {
			return err
		}
		patience := askSettled
		if _, busy := errors.AsType[*model.BusyError](err); busy {
			patience = waitSettled
		}
		if !always && time.Since(begin) > patience {
			return err
		}
		if always && wait == calledAgain {
			s.Logger.Warn("the manager cannot be asked for a name; this machine waits, and says nothing until then", "host", s.Host, "error", err)
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(wait):
			wait = min(2*wait, askAlways)
		}
	}
}

// read is what is kept; nothing where that cannot be read.
func (s Settling) read() (kept housed) {
	raw, err := os.ReadFile(filepath.Join(s.Dir, machineFile))
	if err == nil {
		err = json.Unmarshal(raw, &kept)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.Logger.Warn("on which machine this host got its name cannot be read", "error", err)
		return housed{}
	}
	return kept
}

// keep writes what is kept, if that is news.
func (s Settling) keep(now housed) error {
	if was := s.read(); was.Host == now.Host && was.CopyOf == now.CopyOf && was.Machine.Equal(now.Machine) {
		return nil
	}
	return keepMachine(s.Dir, now)
}

func keepMachine(dir string, now housed) error {
	raw, err := json.Marshal(now)
	if err != nil {
		return fmt.Errorf("encode what machine this is: %w", err)
	}
	return writeFile(filepath.Join(dir, machineFile), append(raw, '\n'))
}

// Doubt has the next Settle ask the manager: it found that another machine has this name.
func Doubt(dir string) error {
	if err := os.Remove(filepath.Join(dir, machineFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget on which machine this host got its name: %w", err)
	}
	return nil
}

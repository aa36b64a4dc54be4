package capture

import (
	"errors"
	"log/slog"
	"os"
	"slices"
	"testing"

	"cassini/bpf"
	"cassini/model"
)

// acceptors is a kernel that tells who accepted.
type acceptors struct {
	Accepts
	list      []bpf.Worker
	forgotten []bpf.Worker
	err       error
}

func (a *acceptors) Workers() ([]bpf.Worker, error) { return slices.Clone(a.list), a.err }

func (a *acceptors) Forget(w bpf.Worker) error {
	a.forgotten = append(a.forgotten, w)
	a.list = slices.DeleteFunc(a.list, func(x bpf.Worker) bool { return x == w })
	return nil
}

// A listener tells who accepts where that is not its owner alone, and what those had who
// have ended; each is told when it moves.
func TestWorkers(t *testing.T) {
	const nobody = 1 << 30 // a process that there cannot be
	kernel := &acceptors{}
	var docs []model.Document
	c := New(Config{Accepts: kernel, Emit: func(d ...model.Document) { docs = append(docs, d...) }, Logger: slog.New(slog.DiscardHandler)})
	c.published = true
	me, parent := os.Getpid(), os.Getppid()
	c.listeners.started(1, 1, service(me, noon))
	c.listeners.started(2, 2, service(me, noon)) // SO_REUSEPORT
	read := func(emitted int) model.Listener {
		t.Helper()
		docs = nil
		if err := c.readWorkers(clock()); err != nil {
			t.Fatal(err)
		}
		if len(docs) != emitted {
			t.Errorf("%d documents, want %d", len(docs), emitted)
		}
		var l model.Listener
		for _, d := range docs {
			if err := d.Decode(&l); err != nil || !d.Progress {
				t.Errorf("%v, progress %t", err, d.Progress)
			}
		}
		return l
	}
	read(0)
	kernel.list = []bpf.Worker{{Cookie: 1, PID: me, Accepted: 7}, {Cookie: 9, PID: me, Accepted: 1}}
	read(0) // its owner alone
	if len(kernel.forgotten) != 1 || kernel.forgotten[0].Cookie != 9 {
		t.Errorf("of a listener that is not there: %+v", kernel.forgotten)
	}
	kernel.list = append(kernel.list, bpf.Worker{Cookie: 1, PID: parent, Comm: "w", Accepted: 3}, bpf.Worker{Cookie: 2, PID: parent, Comm: "w", Accepted: 6})
	l := read(1)
	if want := []model.Worker{{PID: parent, Comm: "w", Accepted: 9}, {PID: me, Accepted: 7}}; !slices.Equal(l.Workers, want) {
		t.Errorf("workers %+v, want %+v", l.Workers, want)
	}
	read(0)
	kernel.list = append(kernel.list, bpf.Worker{Cookie: 2, PID: nobody, Accepted: 5})
	if l := read(1); l.AcceptedBefore != 5 || len(l.Workers) != 2 || len(kernel.list) != 3 {
		t.Errorf("ended: %+v, %+v", l.Accepts, kernel.list)
	}
	kernel.err = errors.New("no")
	if c.readWorkers(clock()) == nil {
		t.Error("an error is swallowed")
	}
	entry := c.listeners.byCookie[1]
	many := make(map[int]*model.Worker)
	for i := range model.MaxWorkers + 3 {
		many[i] = &model.Worker{PID: i, Accepted: uint64(i)}
	}
	if !entry.accepted(many) || len(entry.Workers) != model.MaxWorkers || entry.WorkersMore != 3 || entry.Workers[0].PID != model.MaxWorkers+2 {
		t.Errorf("many: %d and %d more", len(entry.Workers), entry.WorkersMore)
	}
}

// Whom a listener's connections are charged to, and that nobody accepts from a socket of SCTP with many.
func TestChargedTo(t *testing.T) {
	missing := errors.New("no trampolines")
	for _, c := range []struct {
		name   string
		kernel Accepts
		sctp   error
		l      bpf.Listener
		want   string
	}{
		{"TCP", &acceptors{}, missing, bpf.Listener{Proto: bpf.ProtoTCP}, model.AcceptsToProcess},
		{"TCP, not told", nil, missing, bpf.Listener{Proto: bpf.ProtoTCP}, model.AcceptsToListener},
		{"UDP", &acceptors{}, nil, bpf.Listener{Proto: bpf.ProtoUDP}, ""},
		{"one-to-one", &acceptors{}, nil, bpf.Listener{Proto: bpf.ProtoSCTP}, model.AcceptsToProcess},
		{"one-to-one, not told", &acceptors{}, missing, bpf.Listener{Proto: bpf.ProtoSCTP}, model.AcceptsToListener},
		{"one-to-many", &acceptors{}, nil, bpf.Listener{Proto: bpf.ProtoSCTP, Many: 1}, model.AcceptsToListener},
	} {
		capture := New(Config{Accepts: c.kernel})
		capture.noSCTPAccepts = c.sctp
		if got := capture.chargedTo(&c.l); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

package capture

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"cassini/bpf"
	"cassini/model"
)

func (m *many) Counters() (bpf.Counters, error) { return bpf.Counters{}, nil }

// What moved is told in portions, with room made between them; what found none is told the
// next time.
func TestRefreshIsPaced(t *testing.T) {
	const n = 3*portion + 10
	told, pauses := map[string]int{}, 0
	var full error
	kernel := &many{n: n}
	c := New(Config{Host: "web-17", Kernel: kernel, Logger: slog.New(slog.DiscardHandler), Emit: func(docs ...model.Document) {
		for _, doc := range docs {
			told[doc.Key]++
		}
	}})
	c.cfg.Pace = func(context.Context) error {
		c.Hold(func() {}) // nobody is kept waiting meanwhile
		if pauses++; len(told) > pauses*portion {
			t.Errorf("%d documents before pause %d", len(told), pauses)
		}
		return full
	}
	c.published = true
	c.gone = func(uint64) bool { return false }
	full = errors.ErrUnsupported
	if err := c.Refresh(t.Context()); !errors.Is(err, full) || len(told) != portion {
		t.Errorf("%v, %d documents", err, len(told))
	}
	full, pauses = nil, 1
	if err := c.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(told) != n || pauses != 3 {
		t.Errorf("%d documents of %d, %d pauses", len(told), n, pauses)
	}
	for key, times := range told {
		if times != 1 {
			t.Errorf("%s was told %d times", key, times)
		}
	}
	if len(c.edges.unsent) != 0 {
		t.Errorf("%d are left", len(c.edges.unsent))
	}
}

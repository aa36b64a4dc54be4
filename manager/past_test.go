package manager

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"cassini/manager/graph"
	"cassini/manager/store"
	"cassini/model"
)

// TestPastGoesOn asks for moments while earlier ones are in use, and not.
func TestPastGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		var from []store.Key
		fails := false
		p := newPast(func(_ context.Context, g *graph.Graph, after, _ store.Key) (*graph.Graph, error) {
			from = append(from, after)
			switch {
			case fails:
				return nil, errors.New("no log")
			case g == nil:
				g = graph.New(graph.Limits{})
			}
			return g, nil
		})
		ask := func(after time.Duration) (*graph.Graph, context.CancelFunc) {
			ctx, cancel := context.WithCancel(t.Context())
			g, err := p.graph(ctx, begin.Add(after), begin.Add(100*time.Hour))
			if (err != nil) != fails {
				t.Fatal(err)
			}
			return g, func() { cancel(); synctest.Wait() }
		}
		expect := func(what string, want ...store.Key) {
			t.Helper()
			if !slices.Equal(from, want) {
				t.Errorf("%s: replayed from %q, want %q", what, from, want)
			}
			from = nil
		}
		until := func(d time.Duration) store.Key { return store.Until(begin.Add(d)) }

		first, done := ask(0)
		for minute := range time.Duration(pastGraphs - 1) {
			_, over := ask((minute + 1) * time.Minute)
			over()
		}
		expect("until no more are kept", "", "", "", "")
		_, over := ask(time.Hour)
		expect("while the first is in use", until(time.Minute))
		over()
		done()
		if again, over := ask(0); again != first {
			t.Error("the same moment has another graph")
		} else {
			over()
		}
		_, over = ask(-time.Minute)
		expect("earlier than all", "") // upon which two minutes are let go
		over()
		third, over := ask(2 * time.Hour)
		if expect("the one that was not used for longest", until(3*time.Minute)); third == first {
			t.Error("what was used since goes on")
		}
		over()
		fails = true
		_, over = ask(3 * time.Hour)
		expect("an error", until(time.Hour))
		over()
		if fails = false; len(p.kept) != pastGraphs-1 {
			t.Errorf("%d are kept after an error", len(p.kept)) // not what came half of the way
		}
	})
}

// TestPastThatWentOnIsTheSame as one that is replayed from the beginning.
func TestPastThatWentOnIsTheSame(t *testing.T) {
	r := start(t, t.TempDir())
	ctx, done := context.WithCancel(t.Context())
	var moments []time.Time
	for _, state := range []string{model.StateListening, model.StateEnded, model.StateListening} {
		if err := r.Accept(t.Context(), []model.Document{listener("web-17", "nginx", 80, state), listener("db-"+state, "postgres", 5432, state)}); err != nil {
			t.Fatal(err)
		}
		moments = append(moments, time.Now())
	}
	later := time.Now().Add(time.Hour)
	first, err := r.past.graph(ctx, moments[0], later)
	for i := 1; i < pastGraphs && err == nil; i++ {
		_, err = r.past.graph(ctx, moments[0].Add(-time.Duration(i)*time.Hour), later)
	}
	if err != nil {
		t.Fatal(err)
	}
	done()
	eventually(t, "given back", func() bool {
		r.past.mu.Lock()
		defer r.past.mu.Unlock()
		return !slices.ContainsFunc(r.past.kept, func(x *pastGraph) bool { return x.users > 0 })
	})
	wentOn, err := r.past.graph(t.Context(), moments[2], later)
	if err != nil || wentOn != first {
		t.Fatalf("another graph, or %v", err)
	}
	anew, err := newPast(r.extend).graph(t.Context(), moments[2], later)
	if err != nil {
		t.Fatal(err)
	}
	text := func(g *graph.Graph) string {
		b, err := json.Marshal([]any{g.Graph(graph.GraphFilter{}), g.Incidents(false), g.Flapping(), g.Stats()})
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if a, b := text(wentOn), text(anew); a != b {
		t.Errorf("went on:\n%s\nanew:\n%s", a, b)
	}
}

package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"cassini/tools/graphbench/estate"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestQuick runs the benchmark whole on 200 hosts: it fails where SQLite says something
// else than the graph.
func TestQuick(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), []string{"-quick", "-dir", t.TempDir()}, &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"200 hosts: ", "| neighbourhood, depth 1 (", "| impact of a switch (", "| cause of ", "| every single point of failure (", "| counters | SQLite, file |", "| diff of a day (", "PostgreSQL"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in:\n%s", want, out.String())
		}
	}
}

// TestTotal ends before it is done, and tells what it has.
func TestTotal(t *testing.T) {
	for why, args := range map[string][]string{"context deadline exceeded": {"-total", "1ms"}, errMemory.Error(): {"-total", "1h", "-memory", "0.001"}} {
		var out bytes.Buffer
		if err := run(t.Context(), append(args, "-hosts", "200", "-peers", "file", "-dir", t.TempDir()), &out); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(out.String(), "Not finished"); !strings.Contains(out.String(), why) || n < 1 {
			t.Errorf("no %q in:\n%s", why, out.String())
		}
	}
}

// TestQuestionsBeginApart gives each question starts of its own: one whose answer another has
// just had would be flattered.
func TestQuestionsBeginApart(t *testing.T) {
	w := &world{cfg: config{Seed: 1}, estate: estate.Estate{Hosts: 10_000, Seed: 1}}
	by := make(map[string]string)
	for _, q := range w.questions() {
		r, first := w.random(q.name), ""
		for range 5 {
			first += fmt.Sprint(r.Uint64())
		}
		if other, known := by[first]; known {
			t.Errorf("%q and %q begin at the same", q.name, other)
		}
		by[first] = q.name
	}
}

func TestParse(t *testing.T) {
	for _, args := range [][]string{{"-hosts", "7"}, {"-hosts", "1000,x"}, {"-nothing"}, {"-least", "0"}, {"-samples", "2"}, {"-peers", "oracle"}} {
		if err := run(t.Context(), args, &bytes.Buffer{}); err == nil {
			t.Errorf("%v is taken", args)
		}
	}
}

func TestSame(t *testing.T) {
	if err := same([]string{"a", "b"}, []string{"a", "b"}); err != nil {
		t.Error(err)
	}
	for _, other := range [][]string{nil, {"a"}, {"a", "c"}, {"a", "b", "c"}} {
		if same([]string{"a", "b"}, other) == nil {
			t.Errorf("%v is the same", other)
		}
	}
}

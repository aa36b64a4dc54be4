package main

import (
	"bytes"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestQuick runs the benchmark whole on 200 hosts: it fails where SQLite says something
// else than the graph.
func TestQuick(t *testing.T) {
	var out bytes.Buffer
	if err := bench(t.Context(), []string{"-quick", "-dir", t.TempDir()}, &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"200 hosts: ", "| neighbourhood, depth 1 (", "| impact of a switch (", "| cause of ", "| every single point of failure (", "| counters | SQLite, file |"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in:\n%s", want, out.String())
		}
	}
}

func TestParse(t *testing.T) {
	for _, args := range [][]string{{"-hosts", "7"}, {"-hosts", "1000,x"}, {"-nothing"}, {"-least", "0"}, {"-samples", "2"}} {
		if err := bench(t.Context(), args, &bytes.Buffer{}); err == nil {
			t.Errorf("%v is taken", args)
		}
	}
}

func TestQuantile(t *testing.T) {
	values := []int{5, 1, 4, 2, 3}
	for of, want := range map[float64]int{0: 1, 0.5: 3, 0.99: 5, 1: 5} {
		if got := quantile(values, of); got != want {
			t.Errorf("quantile %v: %d instead of %d", of, got, want)
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

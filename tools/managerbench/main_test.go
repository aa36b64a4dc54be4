package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"cassini/kernel-tests/undertest"
)

// binary is the path of the binary under test.
var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "managerbench")
	if err == nil {
		binary, err = undertest.Binary(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		os.RemoveAll(dir)
		os.Exit(code)
	}))
}

// TestQuick runs the benchmark whole, small.
func TestQuick(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), []string{"-quick", "-dir", t.TempDir(), "-cassini", binary}, &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| 7 KiB: one writer, one at a time | Cassini |", "| 7 KiB: 64 writers, one at a time | bbolt |", "| 100 | 1,920 |", "(20 samples)", "| 20, 16 at a time |", "| 16; 1,000 |", "| hosts in rings |", "CPU    a host of       100 ####"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in:\n%s", want, out.String())
		}
	}
}

// TestBudget ends a run whose time is up with what has come until then.
func TestBudget(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), []string{"-parts", "scale", "-hosts", "100000", "-budget", "300ms", "-dir", t.TempDir()}, &out); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), " of 100,000 | ") {
		t.Errorf("no word of what has come:\n%s", out.String())
	}
}

// TestChurn lets hosts come and go for a moment: all that is looked at is there.
func TestChurn(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), []string{"-quick", "-parts", "churn", "-dir", t.TempDir(), "-cassini", binary}, &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| heap after GC |", "10 hosts lived at one time", "| hosts on rings |", "| documents.db |"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in:\n%s", want, out.String())
		}
	}
}

// TestJudge finds what grows after the first third, and nothing else.
func TestJudge(t *testing.T) {
	run := func(value func(minute int) float64) string {
		var samples []sample
		for minute := range 30 {
			s := sample{Values: make([]float64, len(allSeries()))}
			for i := range s.Values {
				s.Values[i] = 1e9
			}
			s.Values[0] = value(minute)
			samples = append(samples, s)
		}
		err := judge(samples, &bytes.Buffer{})
		if err != nil && !errors.Is(err, errGrows) {
			t.Fatal(err)
		}
		return fmt.Sprint(err)
	}
	for name, tc := range map[string]struct {
		value func(minute int) float64
		want  string
	}{
		"flat":                      {func(int) float64 { return 40 * mib }, "<nil>"},
		"up to its bound":           {func(m int) float64 { return float64(min(m, 9)) * 10 * mib }, "<nil>"},
		"noise":                     {func(m int) float64 { return 40*mib + float64(m%3)*6*mib }, "<nil>"},
		"one that is out of it":     {func(m int) float64 { return 40*mib + float64(m/29)*100*mib }, "<nil>"},
		"a leak":                    {func(m int) float64 { return 40*mib + float64(m)*mib }, "heap after GC: it grows: from 55.0 MiB to 65.0 MiB, 62.5 MiB are allowed"},
		"a leak from the middle on": {func(m int) float64 { return 40*mib + float64(max(0, m-15))*mib }, "heap after GC: it grows"},
	} {
		if got := run(tc.value); !strings.HasPrefix(got, tc.want) {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestParse(t *testing.T) {
	for _, args := range [][]string{{"-hosts", "7"}, {"-hosts", "1000,x"}, {"-nothing"}, {"-parts", "rings"}, {"-clients", "0"}, {"-writes", "1"}, {"-for", "1s"}, {"-living", "1"}} {
		if err := run(t.Context(), args, &bytes.Buffer{}); err == nil {
			t.Errorf("%v is taken", args)
		}
	}
}

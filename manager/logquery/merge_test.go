package logquery

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestCutsDoNotMatter cuts records at random and wants of the parts, merged, what
// brute force gets from the whole.
func TestCutsDoNotMatter(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	q, err := Compile(Question{GroupBy: "host", Aggregate: "count, sum(x), avg(x), min(x), max(x), p50(x), p99(x)"})
	if err != nil {
		t.Fatal(err)
	}
	for round := range 8 {
		var records []*Record
		values := make(map[string][]float64)
		for i := range 1 + rng.IntN(6000) {
			host, x := fmt.Sprint("h", rng.IntN(1+round%4)), rng.IntN(100_000)-1000
			if i%7 == 0 { // groups of very different sizes: averages of averages would be wrong
				host = "rare"
			}
			values[host] = append(values[host], float64(x))
			records = append(records, document(i, host, "p", "", fmt.Sprintf(`{"x": %d}`, x)))
		}
		all := newPart(q)
		for rest := records; len(rest) > 0; {
			n := min(1+rng.IntN(900), len(rest))
			p, err := q.evaluate(t.Context(), rest[:n])
			if err != nil {
				t.Fatal(err)
			}
			all.merge(p)
			rest = rest[n:]
		}
		for _, row := range q.finish(all).Rows {
			want := values[row[0].(string)]
			slices.Sort(want)
			total := 0.0
			for _, x := range want {
				total += x
			}
			if row[1] != uint64(len(want)) || row[2] != int64(total) || row[4] != int64(want[0]) || row[5] != int64(want[len(want)-1]) {
				t.Fatalf("got %v of %d values with sum %v, from %v to %v", row, len(want), total, want[0], want[len(want)-1])
			}
			if math.Abs(row[3].(float64)-total/float64(len(want))) > 1e-6 {
				t.Errorf("average %v, want %v", row[3], total/float64(len(want)))
			}
			for i, q := range []float64{0.5, 0.99} {
				within(t, row[6+i].(float64), want, q)
			}
		}
	}
}

// within wants a percentile within the accuracy of a sketch, or of the values beside it.
func within(t *testing.T, got float64, sorted []float64, q float64) {
	t.Helper()
	rank := int(math.Ceil(q*float64(len(sorted)))) - 1
	low, high := sorted[max(rank-1, 0)], sorted[min(rank+1, len(sorted)-1)]
	slack := func(x float64) float64 { return math.Abs(x)*accuracy*1.01 + 1e-9 }
	if got < low-slack(low) || got > high+slack(high) {
		t.Errorf("percentile %v of %d values is %v, want from %v to %v", q, len(sorted), got, low, high)
	}
	if len(sorted) <= exactValues && got != sorted[rank] {
		t.Errorf("percentile %v of %d values is %v, want %v", q, len(sorted), got, sorted[rank])
	}
}

// TestSums wants whole numbers exact, across the edge of 64 bits too, and no loss
// where large and small numbers meet.
func TestSums(t *testing.T) {
	var s sum
	for range 3 {
		s.addWhole(math.MaxInt64)
	}
	if got := s.float(); got != 3*float64(math.MaxInt64) {
		t.Errorf("got %v", got)
	}
	s = sum{}
	for _, f := range []float64{1, 1e100, 1, -1e100} {
		s.addFloat(f)
	}
	if got := s.float(); got != 2 {
		t.Errorf("got %v, want 2", got)
	}
	var a, b sum
	a.addFloat(1e100)
	a.addFloat(1)
	b.addFloat(-1e100)
	b.addWhole(5)
	a.merge(b)
	if got := a.float(); got != 6 {
		t.Errorf("got %v, want 6", got)
	}
}

// FuzzQuestion wants an answer or an error of ours to whatever question.
func FuzzQuestion(f *testing.F) {
	f.Add(`package == "p" && body.x > 1`, "host, bucket(time, duration('1h'))", "count, avg(x), p99.9(body.x + 1)", "samples", "host, body", "-count")
	f.Add(`body.list.exists(a, a == 1) ? true : false`, "", "", "", `r'a,b', [1, 2][0], {"a": body}`, "")
	f.Add("'''package", "b\"\\", "max(", "0.0/0.0", "body.x.y", "-")
	f.Add(`host.matches("(a+)+$")`, "body", "max(body), min([1])", "-1", "", "host")
	f.Fuzz(func(t *testing.T, where, group, aggregate, weight, columns, sort string) {
		for _, q := range []Question{
			{Where: where, GroupBy: group, Aggregate: aggregate, Weight: weight, Sort: sort, Limit: 3},
			{Where: where, Columns: columns, Limit: 3},
			{Events: true, Where: where, GroupBy: group, Aggregate: aggregate},
		} {
			c, err := Compile(q)
			if err != nil {
				if e, ok := errors.AsType[*Error](err); !ok || e.Detail == "" || e.Column > 0 && e.Line < 1 {
					t.Fatalf("%+v: %#v", q, err)
				}
				continue
			}
			records := sample()
			if q.Events {
				records = nil
			}
			a, err := c.Run(t.Context(), Source{Records: of(records)}, Limits{})
			if err != nil {
				if _, ok := errors.AsType[*Error](err); !ok {
					t.Fatalf("%+v: %v", q, err)
				}
				continue
			}
			if _, err := json.Marshal(a); err != nil {
				t.Fatalf("%+v: %v", q, err)
			}
			for _, row := range a.Rows {
				if len(row) != len(a.Columns) {
					t.Fatalf("%+v: %v under %v", q, row, a.Columns)
				}
			}
		}
	})
}

// FuzzTokens wants tokens that are the whole text, and a renamed one as long.
func FuzzTokens(f *testing.F) {
	f.Add(`package == "package" && x.package == r'\' // package`)
	f.Add("'''a\\'''' , b\"\"")
	f.Fuzz(func(t *testing.T, text string) {
		at := 0
		for _, tok := range tokens(text) {
			if tok.start != at || tok.end <= at {
				t.Fatalf("%q: token from %d to %d, the one before ended at %d", text, tok.start, tok.end, at)
			}
			at = tok.end
		}
		if at != len(text) || len(renamed(text)) != len(text) {
			t.Fatalf("%q: tokens end at %d, renamed is %q", text, at, renamed(text))
		}
		for _, it := range list(text) {
			if text[it.at:it.at+len(it.text)] != it.text {
				t.Fatalf("%q: %+v", text, it)
			}
		}
	})
}

package model

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"testing"
)

func histogramOf(t testing.TB, text string) (h Histogram) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &h); err != nil {
		t.Fatal(err)
	}
	return h
}

func TestHistogramJSON(t *testing.T) {
	const text = `{"0-16":1,"16-32":18446744073709551615,"16-64":2,"4194304-":3}`
	h := histogramOf(t, `{"4194304-":3,"16-64":2,"64-128":0,"16-32":18446744073709551615,"0-16":1}`)
	got, err := json.Marshal(h)
	if err != nil || string(got) != text {
		t.Errorf("%s, %v", got, err)
	}
	if got, err := json.Marshal(Counters{}); err != nil || json.Unmarshal(got, &map[string]uint64{}) != nil {
		t.Errorf("an empty one shows: %s, %v", got, err)
	}
	for _, bad := range []string{
		`[]`, `{"16":1}`, `{"-16":1}`, `{"16-8":1}`, `{"16-16":1}`, `{"3-4":1}`, `{"4-7":1}`, `{"016-32":1}`, `{"16-32":-1}`, `{"16-32":1.5}`,
		`{"0-0":1}`, `{"+16-32":1}`, `{"16-32-64":1}`, `{"18446744073709551616-":1}`, `{"":1}`,
	} {
		var h Histogram
		if err := json.Unmarshal([]byte(bad), &h); !errors.Is(err, ErrBadHistogram) {
			t.Errorf("%s: %v, %q", bad, err, h)
		}
	}
}

func TestQuantile(t *testing.T) {
	for _, c := range []struct {
		text string
		q    float64
		want uint64
	}{
		{`{}`, .5, 0},
		{`{"64-128":4}`, .5, 91}, // 64 times the root of two
		{`{"64-128":4}`, 1, 128},
		{`{"0-16":4}`, .5, 8},
		{`{"64-128":50,"1024-2048":50}`, .5, 128},
		{`{"64-128":98,"1024-2048":2}`, .99, 1448},
		{`{"64-128":1,"4096-":9}`, .95, 4096},
		{`{"0-1":1}`, 0, 0},
	} {
		if got := histogramOf(t, c.text).Quantile(c.q); got != c.want {
			t.Errorf("%s at %v: %d, want %d", c.text, c.q, got, c.want)
		}
	}
}

// random is a histogram of a few values, in the buckets of one of two layouts.
func random(r *rand.Rand) Histogram {
	return MakeHistogram(func(yield func(Bucket, uint64) bool) {
		low := uint64(0)
		for high := uint64(8) << r.IntN(2); high < 1<<20; high <<= 2 {
			if r.IntN(3) == 0 && !yield(Bucket{low, high}, r.Uint64N(1000)) {
				return
			}
			low = high
		}
		yield(Bucket{Low: low}, r.Uint64N(2))
	})
}

// It does not matter who adds what, nor in which order; and no value is lost.
func TestHistogramsAddUp(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		a, b, c := random(r), random(r), random(r)
		sum := a.Plus(b.Plus(c))
		if sum != a.Plus(b).Plus(c) || sum != c.Plus(b).Plus(a) {
			t.Fatalf("%q, %q and %q add up differently", a, b, c)
		}
		if sum.Count() != a.Count()+b.Count()+c.Count() {
			t.Fatalf("%d values of %d, %d and %d", sum.Count(), a.Count(), b.Count(), c.Count())
		}
		if sum.Minus(a) != b.Plus(c) || a.Minus(sum) != "" || a.Plus("") != a {
			t.Fatalf("%q less %q is %q", sum, a, sum.Minus(a))
		}
	}
}

func FuzzHistogram(f *testing.F) {
	f.Add([]byte(`{"0-16":1,"16-32":18446744073709551615,"4194304-":3}`))
	f.Add([]byte(`{"9223372036854775808-":1,"1-2":2}`))
	f.Add([]byte(`{"16-8":1}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var h, again Histogram
		err := json.Unmarshal(text, &h)
		if err != nil {
			return // bad JSON, or ErrBadHistogram
		}
		out, err := json.Marshal(h)
		if err != nil || json.Unmarshal(out, &again) != nil || again != h {
			t.Errorf("%s became %s, then %q: %v", text, out, again, err)
		}
		for _, n := range h.All() {
			if n > 1<<32 {
				return // the sum may run over
			}
		}
		if h.Plus(h).Minus(h) != h {
			t.Errorf("%s: something else after plus and minus", text)
		}
	})
}

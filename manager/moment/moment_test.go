package moment

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestMoments(t *testing.T) {
	zone := time.FixedZone("east", 3600)
	for _, at := range []time.Time{
		{}, time.Unix(0, 0), time.Unix(0, -1), time.Unix(0, 1), time.Date(2026, 11, 21, 14, 0, 0, 7, zone),
		time.Date(1700, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		if got := Of(at).Time(); !got.Equal(at) || got.Location() != time.UTC {
			t.Errorf("%v became %v", at, got)
		}
		if Of(at).IsZero() != at.IsZero() {
			t.Errorf("%v: zero is %v", at, Of(at).IsZero())
		}
	}
	if early, late := Of(time.Date(2, 1, 1, 0, 0, 0, 0, time.UTC)), Of(time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)); early.IsZero() || early.Time().Year() != 1677 || late.Time().Year() != 2262 {
		t.Errorf("out of range: %v, %v", early.Time(), late.Time())
	}
}

func TestMomentsAreOrdered(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		a, b := time.Unix(0, int64(r.Uint64())), time.Unix(0, int64(r.Uint64()))
		if Of(a).Before(Of(b)) != a.Before(b) || Of(a).After(Of(b)) != a.After(b) || Of(a).Sub(Of(b)) != a.Sub(b) {
			t.Fatalf("%v and %v", a, b)
		}
	}
}

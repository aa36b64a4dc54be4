package findings

import (
	"testing"
	"time"
	"unsafe"

	"cassini/manager/moment"
)

// TestTalk sees a client talk so often, so far apart, and then not.
func TestTalk(t *testing.T) {
	for name, c := range map[string]struct {
		times         int
		apart         time.Duration
		steady        bool
		silent, still time.Duration // after the last; 0 is never
	}{
		"each hour":              {7, time.Hour, true, 4*time.Hour + time.Second, 4 * time.Hour},
		"each hour, not so long": {6, time.Hour, false, 0, 100 * time.Hour},
		"each minute":            {361, time.Minute, true, 2*time.Hour + time.Second, 2 * time.Hour},
		"twice, far apart":       {2, 30 * time.Hour, false, 0, 1000 * time.Hour},
		"seven times in months":  {7, 60 * 24 * time.Hour, true, 4 * 46 * 24 * time.Hour, 4 * 45 * 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			var talk Talk
			at := time.Date(2026, 11, 22, 1, 2, 3, 4, time.UTC)
			for i := range c.times {
				if i > 0 {
					at = at.Add(c.apart)
				}
				talk.See(moment.Of(at), false, at)
			}
			if !talk.Last().Equal(at) || talk.Steady() != c.steady {
				t.Errorf("last %v, want %v; steady is %v", talk.Last(), at, talk.Steady())
			}
			if talk.Silent(at.Add(c.still)) || talk.Silent(at.Add(c.silent)) != (c.silent > 0) {
				t.Errorf("silent after %v is %v, after %v %v", c.still, talk.Silent(at.Add(c.still)), c.silent, talk.Silent(at.Add(c.silent)))
			}
		})
	}
}

// TestTalkIsSmall since there is one of each dependency.
func TestTalkIsSmall(t *testing.T) {
	if size := unsafe.Sizeof(Talk{}); size > 16 {
		t.Errorf("takes %d bytes", size)
	}
}

package speakers

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"cassini/model/claim"
)

// play has machines come to one name, a second after each other: "a" makes a request, "a?" says
// what it is, which leaves it open, "a=" and "a!" what is itself and another one; "down" and "up"
// are what neighbors say from then on, "same" that those who come are where they hear the host, a number is so many seconds. known had the name before.
func play(known, steps string) string {
	var s Speakers
	now, up, same := time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC), true, false
	var answers []string
	for _, step := range strings.Fields(steps) {
		now = now.Add(time.Second)
		var n int
		before := func() string { return known }
		switch who, how := step[:1], step[1:]; {
		case step == "up" || step == "down":
			up = step == "up"
			continue
		case step == "same":
			same = true
			continue
		case func() bool { _, err := fmt.Sscan(step, &n); return err == nil }():
			now = now.Add(time.Duration(n) * time.Second)
			continue
		case how == "":
			answers = append(answers, fmt.Sprint(s.Hear("web", who, before, now)))
		default:
			is := map[string]claim.Claim{"?": claim.Open, "=": claim.Itself, "!": claim.Another}[how]
			answers = append(answers, fmt.Sprint(s.Introduce("web", who, is, before, func(heard bool) bool { return up && (heard || !same) }, now)))
		}
	}
	return strings.NewReplacer("0", "itself", "1", "unknown", "2", "later", "3", "another").Replace(strings.Join(answers, " "))
}

func TestSpeakers(t *testing.T) {
	for name, tc := range map[string]struct{ known, steps, want string }{
		"the first one":                               {"", "a a", "itself itself"},
		"the manager was started again":               {"a", "a b", "itself unknown"},
		"a clone comes first after that":              {"a", "b b? a b?", "unknown later itself another"},
		"a clone says what it is first after that":    {"a", "b? a b?", "later itself another"},
		"nobody is known, and two say what they are":  {"", "b? c? 20 c?", "itself later another"},
		"it was booted, and went down before":         {"", "a down b b? b a", "itself unknown itself itself unknown"},
		"it was booted faster than anybody saw":       {"", "a b b? 5 down b? b", "itself unknown later itself itself"},
		"it was booted, and can be told":              {"", "a b b= b", "itself unknown itself itself"},
		"a clone, the original is heard by neighbors": {"", "a b b? 5 b? 10 b? b? b", "itself unknown later later another another another"},
		"a clone, the original says something":        {"", "a b b? a b? b a", "itself unknown later itself another another itself"},
		"a clone that can be told":                    {"", "a b b! b b? a", "itself unknown another another another itself"},
		"a clone while the original is down for good": {"", "a down b b? b c c?", "itself unknown itself itself unknown itself"},
		"a clone of which nobody knew, and the original says something": {
			"", "a down b? up b a a? a b b?", "itself itself itself unknown itself itself another another"},
		"a card was changed after it was taken for a clone":         {"", "a b! b=", "itself another itself"},
		"the manager was put back to a backup of before a boot":     {"a", "same b b? b a", "unknown itself itself unknown"},
		"a clone with the address of the original, which was heard": {"a", "same a b b? 20 b?", "itself unknown later another"},
		"two at once": {"", "a b? c? 20 b? 20 b? c?", "itself later later later another later"},
		"an attacker says that it is another, then itself": {"", "a b! b a", "itself another another itself"},
	} {
		if got := play(tc.known, tc.steps); got != tc.want {
			t.Errorf("%s: %s: got %s, want %s", name, tc.steps, got, tc.want)
		}
	}
}

// TestOneSpeaks: whatever machines do, one at most speaks for a name at any moment, and who is
// another is one until it can be told.
func TestOneSpeaks(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		var s Speakers
		now := time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)
		for range 40 {
			now = now.Add(time.Duration(r.IntN(20)) * time.Second)
			who := string(rune('a' + r.IntN(4)))
			s.Hear("web", who, func() string { return "" }, now)
			is := []claim.Claim{claim.Open, claim.Open, claim.Itself, claim.Another, claim.Untold}[r.IntN(5)]
			got := s.Introduce("web", who, is, nil, func(bool) bool { return r.IntN(2) == 0 }, now)
			if is == claim.Itself && got != Itself {
				t.Fatalf("itself is told %v", got)
			}
			if got == Unknown {
				t.Fatal("who has said what it is is asked again")
			}
			if got == Another != s.Other("web", who) {
				t.Fatalf("%s is told %v, and known as another: %v", who, got, s.Other("web", who))
			}
			speak := 0
			for m := range 4 {
				if s.Hear("web", string(rune('a'+m)), nil, now) == Itself {
					speak++
				}
			}
			if speak != 1 || len(s.byHost["web"].doubt.list()) > maxOthers {
				t.Fatalf("%d speak", speak)
			}
		}
	}
}

func (d *doubt) list() []mark {
	if d == nil {
		return nil
	}
	return d.others
}

// TestForget: a name that was forgotten is the next one's, and many names are bounded.
func TestForget(t *testing.T) {
	var s Speakers
	now, nobody := time.Now(), func() string { return "" }
	s.Hear("web", "a", nobody, now)
	s.Forget("web")
	if got := s.Hear("web", "b", nobody, now); got != Itself {
		t.Errorf("got %v", got)
	}
	for n := range maxHosts + 10 {
		s.Hear(fmt.Sprint(n), "a", nobody, now)
	}
	if len(s.byHost) != maxHosts || s.Hear("more", "a", nobody, now) != Itself || s.Introduce("more", "b", claim.Open, nobody, nil, now) != Itself {
		t.Errorf("%d names", len(s.byHost))
	}
}

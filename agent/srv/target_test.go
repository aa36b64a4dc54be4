package srv

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestDomain(t *testing.T) {
	for manager, want := range map[string]string{
		"srv:example.org": "example.org", "SRV:Example.ORG.": "example.org", "srv:corp": "corp", "srv:a-1.b_c.example": "a-1.b_c.example",
	} {
		if got, ok, err := Domain(manager); got != want || !ok || err != nil {
			t.Errorf("%s: got %q, %v, %v", manager, got, ok, err)
		}
	}
	for _, manager := range []string{"", "sr", "https://example.org:1984", "http://srv:80", "example.org"} {
		if _, ok, err := Domain(manager); ok || err != nil {
			t.Errorf("%s: got %v, %v", manager, ok, err)
		}
	}
	for _, manager := range []string{
		"srv:", "srv:.", "srv://example.org", "srv:example..org", "srv:10.0.0.1", "srv:::1", "srv:exämple.org", "srv:_cassini._tcp.example.org",
		"srv:example.org:1984", "srv:a b", "srv:-a.example", "srv:" + strings.Repeat("a", 64) + ".org", "srv:" + strings.Repeat("abcdefg.", 30) + "org",
	} {
		if _, ok, err := Domain(manager); !ok || !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: got %v, %v", manager, ok, err)
		}
	}
}

func TestUsable(t *testing.T) {
	long := strings.Repeat(strings.Repeat("a", 63)+".", 4)
	for name, tc := range map[string]struct {
		records []*net.SRV
		want    string
		refused int
		err     error
	}{
		"nothing":       {nil, "[]", 0, ErrNoTarget},
		"not offered":   {[]*net.SRV{{Target: ".", Port: 1984}}, "[]", 1, ErrNotOffered},
		"one":           {[]*net.SRV{{Target: "M1.example.org.", Port: 1984}}, "[m1.example.org:1984]", 0, nil},
		"port 0":        {[]*net.SRV{{Target: "m1.example.org."}}, "[]", 1, ErrNoTarget},
		"too long":      {[]*net.SRV{{Target: long, Port: 1}}, "[]", 1, ErrNoTarget},
		"label":         {[]*net.SRV{{Target: strings.Repeat("a", 64) + ".", Port: 1}}, "[]", 1, ErrNoTarget},
		"address":       {[]*net.SRV{{Target: "127.0.0.1.", Port: 1}, {Target: "::1", Port: 1}}, "[]", 2, ErrNoTarget},
		"strange bytes": {[]*net.SRV{{Target: "a/b.", Port: 1}, {Target: "a\nb.", Port: 1}, {Target: "a@b.", Port: 1}, {Target: "a%25.", Port: 1}}, "[]", 4, ErrNoTarget},
		"good and bad":  {[]*net.SRV{{Target: ".", Port: 1}, {Target: "a.", Port: 1}, {Target: "A", Port: 1}, {Target: "a.", Port: 2}}, "[a:1 a:2]", 2, nil},
	} {
		got, refused, err := usable(tc.records)
		if fmt.Sprint(got) != tc.want || refused != tc.refused || !errors.Is(err, tc.err) {
			t.Errorf("%s: got %v, %d, %v", name, got, refused, err)
		}
	}
}

// numbers gives those that were written down, and the bounds that it was asked with.
type numbers struct{ give, bounds []int }

func (n *numbers) pick(below int) int {
	n.bounds = append(n.bounds, below)
	got := n.give[0]
	n.give = n.give[1:]
	return got
}

func TestOrder(t *testing.T) {
	a, b, c := Target{Host: "a", Port: 1, Priority: 10, Weight: 60}, Target{Host: "b", Port: 1, Priority: 10, Weight: 40}, Target{Host: "c", Port: 1, Priority: 20, Weight: 0}
	zero := Target{Host: "zero", Port: 1, Priority: 10, Weight: 0}
	x, y := Target{Host: "x", Port: 1, Priority: 5, Weight: 0}, Target{Host: "y", Port: 1, Priority: 5, Weight: 0}
	for name, tc := range map[string]struct {
		targets []Target
		give    []int
		want    string
		bounds  string
	}{
		"priority alone":         {[]Target{c, a}, []int{0, 0}, "[a:1 c:1]", "[61 1]"},
		"the light one first":    {[]Target{a, b, c}, []int{40, 0, 0}, "[b:1 a:1 c:1]", "[101 61 1]"},
		"the heavy one first":    {[]Target{a, b, c}, []int{41, 0, 0}, "[a:1 b:1 c:1]", "[101 41 1]"},
		"the last number":        {[]Target{b, a}, []int{100, 0}, "[a:1 b:1]", "[101 41]"},
		"without weight, by 0":   {[]Target{a, zero}, []int{0, 60}, "[zero:1 a:1]", "[61 61]"},
		"without weight, else":   {[]Target{a, zero}, []int{1, 0}, "[a:1 zero:1]", "[61 1]"},
		"all without: the first": {[]Target{x, y}, []int{0, 0}, "[x:1 y:1]", "[2 1]"},
		"all without: the other": {[]Target{x, y}, []int{1, 0}, "[y:1 x:1]", "[2 1]"},
		"nothing":                {nil, nil, "[]", "[]"},
	} {
		before := slices.Clone(tc.targets)
		n := &numbers{give: tc.give}
		if got := order(tc.targets, n.pick); fmt.Sprint(got) != tc.want || fmt.Sprint(n.bounds) != tc.bounds {
			t.Errorf("%s: got %v, asked %v", name, got, n.bounds)
		}
		if !slices.Equal(before, tc.targets) {
			t.Errorf("%s: its input was changed", name)
		}
	}
}

// TestShares has targets chosen about as often as their weights say.
func TestShares(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	first := make(map[string]int)
	for range 100_000 {
		first[order([]Target{{Host: "a", Port: 1, Priority: 1, Weight: 70}, {Host: "b", Port: 1, Priority: 1, Weight: 20}, {Host: "c", Port: 1, Priority: 1, Weight: 10}}, r.IntN)[0].Host]++
	}
	for host, want := range map[string]int{"a": 70_000, "b": 20_000, "c": 10_000} {
		if got := first[host]; got < want*85/100 || got > want*115/100 {
			t.Errorf("%s: %d times, want about %d", host, got, want)
		}
	}
}

// FuzzOrder holds every order against its rules, whatever DNS says.
func FuzzOrder(f *testing.F) {
	f.Add([]byte{1, 0, 0, 2, 9, 7, 2, 0, 1}, uint64(1))
	f.Fuzz(func(t *testing.T, raw []byte, seed uint64) {
		var records []*net.SRV
		for i := 0; i+3 <= len(raw); i += 3 {
			records = append(records, &net.SRV{Target: string(raw[i]%100+28) + ".", Port: uint16(raw[i+1]), Priority: uint16(raw[i+2] % 4), Weight: uint16(raw[i+1]) << 8})
		}
		targets, refused, err := usable(records)
		if err == nil && len(targets)+refused != len(records) {
			t.Fatalf("%d and %d of %d", len(targets), refused, len(records))
		}
		got := order(targets, rand.New(rand.NewPCG(seed, 0)).IntN)
		if !slices.IsSortedFunc(got, func(a, b Target) int { return int(a.Priority) - int(b.Priority) }) {
			t.Fatalf("not by priority: %v", got)
		}
		for _, target := range targets {
			if !slices.Contains(got, target) || len(got) != len(targets) {
				t.Fatalf("%v became %v", targets, got)
			}
		}
	})
}
